import { wholeNumber } from './subjects';

/** A kind of load: what the answer depends on most. */
export interface Load {
  name: LoadName;
  /** In a sentence. */
  title: string;
  /** What the requests do. */
  description: string;
  /** `MIX` of mix.js. */
  mix: string;
  /** Iterations per second before and after the spike. */
  rate: number;
  /** Iterations per second at the spike: more than two replicas can serve, less than five can. */
  peak: number;
  /** Whether each response of the database takes 200 ms longer. */
  slowDatabase: boolean;
}

export type LoadName = 'cpu' | 'waiting' | 'mixed';

const kinds: Omit<Load, 'peak'>[] = [
  {
    name: 'cpu',
    title: 'CPU-bound',
    description: 'each iteration gets the time in a zone',
    ...{ mix: '1:0:0', rate: 20, slowDatabase: false },
  },
  {
    name: 'waiting',
    title: 'waiting',
    description:
      'half of the iterations post a document and read it, half list documents, and each response of the database takes 200 ms longer',
    ...{ mix: '0:1:1', rate: 10, slowDatabase: true },
  },
  {
    name: 'mixed',
    title: 'mixed',
    description:
      'of ten iterations six get the time, three post a document and read it, and one lists documents',
    ...{ mix: '6:3:1', rate: 20, slowDatabase: false },
  },
];

// For replicas with the CPU limit of the manifests, 500m. A database that is waited for takes the same
// time however fast the replicas are.
const peaks: Record<LoadName, number> = { cpu: 1000, waiting: 60, mixed: 500 };

/**
 * The loads of an experiment. `PEAK_CPU`, `PEAK_WAITING` and `PEAK_MIXED` of the environment override
 * the peaks, and `LOADS`, such as `cpu,mixed`, selects some.
 *
 * @param cpuLimit of a replica, in millicores
 */
export function chooseLoads(cpuLimit: number, env = process.env): Load[] {
  const chosen = env.LOADS?.split(',') ?? kinds.map(({ name }) => name);
  const unknown = chosen.find((name) => !kinds.some((kind) => kind.name === name));
  if (unknown) throw new Error(`LOADS has "${unknown}": choose of cpu, waiting and mixed.`);
  return kinds
    .filter(({ name }) => chosen.includes(name))
    .map((kind) => {
      const scale = kind.slowDatabase ? 1 : cpuLimit / 500;
      const setting = `PEAK_${kind.name.toUpperCase()}`;
      const peak = env[setting] ?? `${Math.round(peaks[kind.name] * scale)}`;
      return { ...kind, peak: wholeNumber(setting, peak, 1) };
    });
}
