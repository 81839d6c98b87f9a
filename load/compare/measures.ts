import type { K6Samples, Request } from '../common/k6-samples';
import { percentile } from '../common/statistics';

/** The replicas of a variant, from `at` until the next entry. */
export interface Replicas {
  /** Milliseconds since 1970. */
  at: number;
  /** How many the autoscaler asked for. */
  desired: number;
  ready: number;
  /** Pods that occupy a node, including those that are starting or terminating. */
  pods: number;
}

/** The phases of a run, in ms since 1970. */
export interface Times {
  begin: number;
  /** The load begins to rise. */
  spike: number;
  /** The load begins to fall. */
  fall: number;
  end: number;
}

/** The figures of a run in the report. Times are in seconds; null for what did not happen. */
export interface Measures {
  /** From when the load begins to rise to when three replicas are ready. */
  toThird: number | null;
  toFourth: number | null;
  toFifth: number | null;
  /** From when the load begins to fall. */
  backToTwo: number | null;
  requests: number;
  failed: number;
  dropped: number;
  /** In ms, of the successful requests sent in the first 10 s of the spike. */
  p95AtFirst: number | null;
  /** In ms, of the successful requests sent in the last 20 s before the load falls. */
  p95AtLast: number | null;
  /** How long pods occupied a node, summed up over all pods. */
  replicaSeconds: number;
}

/** @param replicas in chronological order, the first from before the run */
export function measure(
  { requests, dropped }: K6Samples,
  replicas: Replicas[],
  times: Times,
): Measures {
  const { begin, spike, fall, end } = times;
  const timeTo = (count: number) => {
    const reached = replicas.find(({ at, ready }) => at >= spike && at < fall && ready >= count);
    return reached ? (reached.at - spike) / 1000 : null;
  };
  return {
    toThird: timeTo(3),
    toFourth: timeTo(4),
    toFifth: timeTo(5),
    backToTwo: backToTwo(replicas, fall, end),
    requests: requests.length,
    failed: requests.filter(({ answered }) => !answered).length,
    dropped: dropped.length,
    p95AtFirst: p95(requests, spike, spike + 10_000),
    p95AtLast: p95(requests, fall - 20_000, fall),
    replicaSeconds: replicaSeconds(replicas, begin, end),
  };
}

/** From when the load begins to fall to when two replicas are ready, with no more later. */
function backToTwo(replicas: Replicas[], fall: number, end: number): number | null {
  const before = replicas.filter(({ at }) => at < end);
  const last = before.findLastIndex(({ ready }) => ready > 2);
  const back = before[last + 1];
  if (last === -1 || !back) return null;
  return Math.max(0, back.at - fall) / 1000;
}

function p95(requests: Request[], from: number, to: number): number | null {
  const inRange = requests.filter(({ start, answered }) => answered && start >= from && start < to);
  return percentile(
    inRange.map(({ duration }) => duration),
    95,
  );
}

function replicaSeconds(replicas: Replicas[], begin: number, end: number): number {
  return replicas.reduce((sum, { at, pods }, i) => {
    const from = Math.max(at, begin);
    const to = Math.min(replicas[i + 1]?.at ?? end, end);
    return sum + (pods * Math.max(0, to - from)) / 1000;
  }, 0);
}

/** The replicas at the start of each second. */
export function replicasAt(replicas: Replicas[], begin: number, count: number): Replicas[] {
  return Array.from({ length: count }, (_, i) => {
    const at = begin + i * 1000;
    const entry = replicas.findLast((replica) => replica.at <= at) ?? replicas[0];
    return { desired: 0, ready: 0, pods: 0, ...entry, at };
  });
}
