import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { core } from '../common/cluster';
import { cpuSeconds, stolenSeconds } from '../common/process-usage';
import { sum } from '../common/statistics';
import type { Times } from './measures';

/** CPU during a spike. */
export interface CpuUsage {
  /** In use by all pods of all nodes, in cores: replicas, their proxies, ingress, database, and what else is there. */
  pods: number;
  /** In use by the process that runs k6, and k6, in cores. */
  generator: number;
  /** What the hypervisor gave to others, as a share of the CPU time of k6's machine. */
  stolen?: number;
}

/** CPU time used until `at`, in seconds. */
interface CpuTime {
  at: number;
  used: number;
}

interface Reading {
  generator: CpuTime;
  stolen: CpuTime;
  /** Of the pods of each node. Kubelets measure it every ten seconds or so. */
  nodes: CpuTime[];
}

/**
 * Reads CPU times every few seconds, until `stop` is called, which tells the usage between the rise and the
 * fall of a load. Works where k6 runs on Linux.
 */
export function watchCpu() {
  const readings: Reading[] = [];
  let stopped = false;
  const reading = (async () => {
    while (!stopped) {
      const last = await read().catch(() => undefined); // the next one may succeed
      if (last) readings.push(last);
      await sleep(3000);
    }
  })();
  return {
    async stop(times: Times): Promise<CpuUsage> {
      stopped = true;
      await reading;
      const nodes = readings[0]?.nodes.map((_, i) =>
        readings.flatMap((each) => each.nodes[i] ?? []),
      );
      const used = (of: (reading: Reading) => CpuTime) => coresUsed(readings.map(of), times);
      return {
        pods: sum((nodes ?? [[]]).map((node) => coresUsed(node, times))),
        generator: used(({ generator }) => generator),
        stolen: used(({ stolen }) => stolen) / cpus().length,
      };
    },
  };
}

/** The mean from the beginning of the spike to its end; NaN without two readings. */
function coresUsed(readings: CpuTime[], { spike, fall }: Times): number {
  const during = readings.filter(({ at }) => at >= spike && at <= fall);
  const [first, last] = [during.at(0), during.at(-1)];
  return first && last ? (last.used - first.used) / ((last.at - first.at) / 1000) : Number.NaN;
}

async function read(): Promise<Reading> {
  const { items } = await core.listNode();
  const nodes = await Promise.all(items.map(({ metadata }) => readNode(metadata?.name ?? '')));
  const at = Date.now();
  const generator = { at, used: cpuSeconds(process.pid) };
  return { generator, stolen: { at, used: stolenSeconds() }, nodes };
}

/** @see https://kubernetes.io/docs/reference/instrumentation/node-metrics/ */
async function readNode(name: string): Promise<CpuTime> {
  const summary = await core.connectGetNodeProxyWithPath({ name, path: 'stats/summary' });
  const { node } = summary as unknown as Summary;
  const pods = node.systemContainers.find((container) => container.name === 'pods');
  return {
    at: Date.parse(pods?.cpu.time ?? ''),
    used: (pods?.cpu.usageCoreNanoSeconds ?? 0) / 1e9,
  };
}

/** The parts of a kubelet's summary that are read here. */
interface Summary {
  node: {
    systemContainers: { name: string; cpu: { time: string; usageCoreNanoSeconds: number } }[];
  };
}
