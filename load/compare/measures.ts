import type { Request, Sent } from '../shared/k6-samples';
import { percentile } from '../shared/k6-samples';

/** The replicas of a variant, from a moment until the next such entry. */
export interface Replicas {
  /** Milliseconds since 1970. */
  at: number;
  /** How many the autoscaler asked for. */
  desired: number;
  ready: number;
  /** Pods that hold their requests of CPU and memory: those that start and those that end, too. */
  pods: number;
}

/** The times of a run, in milliseconds since 1970. */
export interface Times {
  begin: number;
  /** The load begins to rise. */
  spike: number;
  /** The load begins to fall. */
  fall: number;
  end: number;
}

/** What the table of the report says of a run. Times in seconds, null for what did not happen. */
export interface Measures {
  toThird: number | null;
  toFourth: number | null;
  toFifth: number | null;
  /** From when the load begins to fall. */
  backToTwo: number | null;
  requests: number;
  failed: number;
  dropped: number;
  /** Milliseconds, of those sent in the first 10 s of the spike and answered. */
  p95AtFirst: number | null;
  /** Milliseconds, of those sent in the last 20 s before the load falls and answered. */
  p95AtLast: number | null;
  replicaSeconds: number;
}

/** @param replicas in the order of time, the first from before the run begins */
export function measure({ requests, dropped }: Sent, replicas: Replicas[], times: Times): Measures {
  const { begin, spike, fall, end } = times;
  const until = (count: number) => {
    const reached = replicas.find(({ at, ready }) => at >= spike && at < fall && ready >= count);
    return reached ? (reached.at - spike) / 1000 : null;
  };
  return {
    toThird: until(3),
    toFourth: until(4),
    toFifth: until(5),
    backToTwo: backToTwo(replicas, fall, end),
    requests: requests.length,
    failed: requests.filter(({ answered }) => !answered).length,
    dropped: dropped.length,
    p95AtFirst: p95(requests, spike, spike + 10_000),
    p95AtLast: p95(requests, fall - 20_000, fall),
    replicaSeconds: replicaSeconds(replicas, begin, end),
  };
}

/** From the fall of the load to when no more than two are ready, and that for good. */
function backToTwo(replicas: Replicas[], fall: number, end: number): number | null {
  const before = replicas.filter(({ at }) => at < end);
  const last = before.findLastIndex(({ ready }) => ready > 2);
  const back = before[last + 1];
  if (last === -1 || !back) return null;
  return Math.max(0, back.at - fall) / 1000;
}

function p95(requests: Request[], from: number, to: number): number | null {
  const sent = requests.filter(({ start, answered }) => answered && start >= from && start < to);
  return percentile(
    sent.map(({ duration }) => duration),
    95,
  );
}

/** The sum over all pods of how long each was there. */
function replicaSeconds(replicas: Replicas[], begin: number, end: number): number {
  return replicas.reduce((sum, { at, pods }, i) => {
    const from = Math.max(at, begin);
    const to = Math.min(replicas[i + 1]?.at ?? end, end);
    return sum + (pods * Math.max(0, to - from)) / 1000;
  }, 0);
}

/** The replicas at each of `count` seconds. */
export function replicasAt(replicas: Replicas[], begin: number, count: number): Replicas[] {
  return Array.from({ length: count }, (_, i) => {
    const at = begin + i * 1000;
    const entry = replicas.findLast((replica) => replica.at <= at) ?? replicas[0];
    return { desired: 0, ready: 0, pods: 0, ...entry, at };
  });
}
