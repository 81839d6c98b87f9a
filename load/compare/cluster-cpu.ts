import { setTimeout as sleep } from 'node:timers/promises';
import { core } from '../common/cluster';
import { cpuSeconds } from '../common/process-usage';
import { sum } from '../common/statistics';
import type { Times } from './measures';

/** CPU in use during a spike, in cores. */
export interface CpuUsage {
  /** Of all pods of all nodes: replicas, their proxies, ingress, database, and what else is there. */
  pods: number;
  /** Of the process that runs k6, and k6. */
  generator: number;
}

/** CPU time used so far, in seconds. */
interface Reading {
  at: number;
  generator: number;
  /** By node; kubelets read it every ten seconds or so, at `at`. */
  nodes: { at: number; pods: number }[];
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
      readings.push(await read());
      await sleep(3000);
    }
  })();
  return {
    async stop(times: Times): Promise<CpuUsage> {
      stopped = true;
      await reading;
      return usage(readings.filter(({ at }) => at >= times.spike && at <= times.fall));
    },
  };
}

function usage(readings: Reading[]): CpuUsage {
  const [first, last] = [readings.at(0), readings.at(-1)];
  if (!first || !last) return { pods: Number.NaN, generator: Number.NaN };
  const nodes = first.nodes.map((from, i) => {
    const to = last.nodes[i] ?? from;
    return (to.pods - from.pods) / ((to.at - from.at) / 1000);
  });
  return {
    pods: sum(nodes),
    generator: (last.generator - first.generator) / ((last.at - first.at) / 1000),
  };
}

async function read(): Promise<Reading> {
  const { items } = await core.listNode();
  const nodes = await Promise.all(items.map(({ metadata }) => readNode(metadata?.name ?? '')));
  return { at: Date.now(), generator: cpuSeconds(process.pid), nodes };
}

/** @see https://kubernetes.io/docs/reference/instrumentation/node-metrics/ */
async function readNode(name: string) {
  const summary = await core.connectGetNodeProxyWithPath({ name, path: 'stats/summary' });
  const { node } = summary as unknown as Summary;
  const pods = node.systemContainers.find((container) => container.name === 'pods');
  return {
    at: Date.parse(pods?.cpu.time ?? ''),
    pods: (pods?.cpu.usageCoreNanoSeconds ?? 0) / 1e9,
  };
}

/** The parts of a kubelet's summary that are read here. */
interface Summary {
  node: {
    systemContainers: { name: string; cpu: { time: string; usageCoreNanoSeconds: number } }[];
  };
}
