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
  /** Those that k6 began within half a second after they were due. */
  sent: number;
  /** Requests with an expected status; an iteration has one or two. */
  answered: number;
  failed: number;
  /** In ms, of the requests sent in the first 10 s of the spike that were answered. */
  p95AtFirst: number | null;
  /** In ms, of all requests that were answered. */
  p95: number | null;
  /** In ms; the slowest answer. */
  max: number | null;
  /** Seconds of the spike in which p95 was above 500 ms, or nothing was answered. */
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
    const reached = replicas.find(({ at, ready }) => at >= spike && at < fall && ready >= count);
    return reached ? (reached.at - spike) / 1000 : null;
  };
  return {
    intended: Math.round(sum(intended)),
    sent: sentOnTime(iterations, dropped, dueTimes(intended, begin)),
    answered: answered.length,
    failed: requests.length - answered.length,
    p95AtFirst: p95(answered.filter(isSentIn(spike, spike + 10_000))),
    p95: p95(answered),
    max: answered.reduce<number | null>((max, { duration }) => Math.max(max ?? 0, duration), null),
    slowSeconds: slowSeconds(requests, spike, fall),
    toThird: timeTo(3),
    toFifth: timeTo(5),
    mostReplicas: Math.max(...replicas.map(({ ready }) => ready)),
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
    return event?.began && event.at <= time + 500;
  }).length;
}

function slowSeconds(requests: Request[], from: number, to: number): number {
  let count = 0;
  for (let second = from; second < to; second += 1000) {
    const sent = requests.filter(isSentIn(second, second + 1000));
    const slowest = p95(sent.filter(({ answered }) => answered));
    if (sent.length > 0 && (slowest === null || slowest > 500)) count++;
  }
  return count;
}

const isSentIn =
  (from: number, to: number) =>
  ({ start }: Request) =>
    start >= from && start < to;

const p95 = (requests: Request[]) =>
  percentile(
    requests.map(({ duration }) => duration),
    95,
  );

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
