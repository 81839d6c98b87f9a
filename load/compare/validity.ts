import type { CpuUsage } from './cluster-cpu';
import type { Measures, Replicas } from './measures';

/** How much CPU k6 and all pods may use together, as a share of that of the nodes. */
export const highestCpuShare = 0.8;
/** How much of the CPU time of k6's machine its hypervisor may give to others. */
export const highestStolenShare = 0.1;
/** A run begins with as many replicas. */
export const replicasAtFirst = 2;
/** The least share of the iterations that has to be sent on time. */
export const leastSentShare = 0.99;

/** The share of the CPU of all nodes that k6 and all pods used. */
export const cpuShare = ({ pods, generator }: CpuUsage, cpus: number) => (pods + generator) / cpus;

/**
 * Why a run says more about the machine than about what was under load, if it does.
 *
 * @param cpus of all nodes
 */
export function flawOf(
  { measures, cpu, replicas }: { measures: Measures; cpu: CpuUsage; replicas: Replicas[] },
  cpus: number,
) {
  const sent = measures.sent / measures.intended;
  const used = cpuShare(cpu, cpus);
  if (!Number.isFinite(used)) return 'the CPU in use is unknown';
  if (sent < leastSentShare) return `${(100 * sent).toFixed(1)} % sent on time`;
  if (used > highestCpuShare) return `${(100 * used).toFixed(0)} % of the CPU used`;
  const [first] = replicas;
  const atFirst = Math.max(first?.desired ?? 0, first?.pods ?? 0);
  if (atFirst !== replicasAtFirst) return `${atFirst} replicas at the start`;
  const { stolen = 0 } = cpu;
  if (stolen > highestStolenShare) {
    return `${(100 * stolen).toFixed(0)} % of the CPU taken by the hypervisor`;
  }
  return undefined;
}
