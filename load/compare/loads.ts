import { chooseKinds, type LoadKind } from '../common/loads';
import { wholeNumber } from './subjects';

/** A spike of a kind of load. */
export interface Load extends LoadKind {
  /** Iterations per second before and after the spike. */
  rate: number;
  /** Iterations per second at the spike: more than two replicas can serve, less than five can. */
  peak: number;
}

const rates: Record<Load['name'], number> = { cpu: 20, waiting: 10, mixed: 20 };

// For replicas with the CPU limit of the manifests, 500m. A database that is waited for takes the same
// time however fast the replicas are.
const peaks: Record<Load['name'], number> = { cpu: 1000, waiting: 60, mixed: 500 };

/**
 * The loads of an experiment. `PEAK_CPU`, `PEAK_WAITING` and `PEAK_MIXED` of the environment override
 * the peaks, and `LOADS`, such as `cpu,mixed`, selects some.
 *
 * @param cpuLimit of a replica, in millicores
 */
export function chooseLoads(cpuLimit: number, env = process.env): Load[] {
  return chooseKinds(env).map((kind) => {
    const scale = kind.slowDatabase ? 1 : cpuLimit / 500;
    const setting = `PEAK_${kind.name.toUpperCase()}`;
    const peak = env[setting] ?? `${Math.round(peaks[kind.name] * scale)}`;
    return { ...kind, rate: rates[kind.name], peak: wholeNumber(setting, peak, 1) };
  });
}
