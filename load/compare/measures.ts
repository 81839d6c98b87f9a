import type { K6Samples, Request } from '../common/k6-samples';
import { percentile, sum } from '../common/statistics';

/** The replicas of a run, from `at` until the next entry. */
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
  /** Iterations that the load asks for. */
  intended: number;
  /** Those that k6 began within 100 ms after they were due. */
  sent: number;
  /** Those that k6 did not begin, as all of its virtual users waited for responses. */
  dropped: number;
  /** Requests with an expected status; an iteration has one or two. */
  answered: number;
  failed: number;
  /**
   * In ms, of the requests sent in the first 10 s of the spike. A failed one counts as slower than all
   * that were answered, so null stands for more than 5 % failures.
   */
  p95AtFirst: number | null;
  /** The same for the whole run. */
  p95: number | null;
  /** In ms; the slowest answer. */
  max: number | null;
  /** Seconds of the spike in which p95 was above 500 ms, or nothing was sent. */
  slowSeconds: number;
  /** From when the load begins to rise to when three replicas are ready. */
  toThird: number | null;
  toFifth: number | null;
  mostReplicas: number;
  /** How long pods occupied a node, summed up over all pods. */
  replicaSeconds: number;
}

/**
 * @param intended iterations that are due in each second
 * @param replicas in chronological order, the first from before the run
 */
export function measure(
  { requests, iterations, dropped }: K6Samples,
  intended: number[],
  replicas: Replicas[],
  times: Times,
): Measures {
  const { begin, spike, fall, end } = times;
  const answered = requests.filter((request) => request.answered);
  const timeTo = (count: number) => {
    const before = replicas.findLast(({ at }) => at <= spike);
    if (before && before.ready >= count) return 0;
    const reached = replicas.find(({ at, ready }) => at >= spike && at < fall && ready >= count);
    return reached ? (reached.at - spike) / 1000 : null;
  };
  return {
    intended: Math.round(sum(intended)),
    sent: sentOnTime(iterations, dropped, dueTimes(intended, begin)),
    dropped: dropped.length,
    answered: answered.length,
    failed: requests.length - answered.length,
    p95AtFirst: p95(requests.filter(isSentIn(spike, spike + 10_000))),
    p95: p95(requests),
    max: answered.reduce<number | null>((max, { duration }) => Math.max(max ?? 0, duration), null),
    slowSeconds: slowSeconds(requests, spike, fall),
    toThird: timeTo(3),
    toFifth: timeTo(5),
    mostReplicas: Math.max(0, ...replicas.map(({ ready }) => ready)),
    replicaSeconds: replicaSeconds(replicas, begin, end),
  };
}

/** When each iteration is due, in ms since 1970. */
function dueTimes(intended: number[], begin: number): number[] {
  const times: number[] = [];
  let total = 0;
  for (const [second, count] of intended.entries()) {
    // the next one is due when the total, which need not be whole, reaches its number
    for (let next = times.length; next < total + count; next++) {
      times.push(begin + 1000 * (second + (next - total) / count));
    }
    total += count;
  }
  return times;
}

/** How many began in time; each that k6 dropped takes the place of one that was due. */
function sentOnTime(iterations: number[], dropped: number[], due: number[]): number {
  const events = [
    ...iterations.map((at) => ({ at, began: true })),
    ...dropped.map((at) => ({ at, began: false })),
  ].sort((a, b) => a.at - b.at);
  return due.filter((time, i) => {
    const event = events[i];
    return event?.began && event.at <= time + 100;
  }).length;
}

function slowSeconds(requests: Request[], from: number, to: number): number {
  let count = 0;
  for (let second = from; second < to; second += 1000) {
    const slowest = p95(requests.filter(isSentIn(second, second + 1000)));
    if (slowest === null || slowest > 500) count++;
  }
  return count;
}

const isSentIn =
  (from: number, to: number) =>
  ({ start }: Request) =>
    start >= from && start < to;

function p95(requests: Request[]): number | null {
  const latency = percentile(
    requests.map(({ answered, duration }) => (answered ? duration : Number.POSITIVE_INFINITY)),
    95,
  );
  return latency === Number.POSITIVE_INFINITY ? null : latency;
}

function replicaSeconds(replicas: Replicas[], begin: number, end: number): number {
  return replicas.reduce((total, { at, pods }, i) => {
    const from = Math.max(at, begin);
    const to = Math.min(replicas[i + 1]?.at ?? end, end);
    return total + (pods * Math.max(0, to - from)) / 1000;
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
