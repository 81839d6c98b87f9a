/** One replica at one concurrency. */
export interface Step {
  /** Requests in flight at any moment. */
  concurrency: number;
  /** Successful responses per second. */
  throughput: number;
  /** Latency, in ms; null if no request succeeded. */
  p95: number | null;
  /** The share of the requests that failed, from 0 to 1. */
  failed: number;
}

export interface Knee {
  /** The lowest concurrency that reaches 90 % of the highest throughput. */
  target: number;
  /**
   * The highest concurrency from there on whose p95 is acceptable and where nothing fails. Undefined if
   * `target` is too slow already: a limit would only move the wait elsewhere.
   */
  limit?: number;
}

/**
 * Finds the concurrency above which requests only wait longer.
 *
 * @param steps in ascending order of concurrency
 * @param maxP95 the highest acceptable p95, in ms
 */
export function findKnee(steps: Step[], maxP95: number): Knee {
  const highest = Math.max(...steps.map(({ throughput }) => throughput));
  const knee = steps.findIndex(({ throughput }) => throughput >= 0.9 * highest);
  const beyond = steps.slice(knee);
  const tooSlow = beyond.findIndex(
    ({ p95, failed }) => failed > 0 || (p95 ?? Number.POSITIVE_INFINITY) > maxP95,
  );
  const limit = (tooSlow === -1 ? beyond : beyond.slice(0, tooSlow)).at(-1)?.concurrency;
  return { target: steps[knee]?.concurrency ?? 0, ...(limit && { limit }) };
}

/** What suits all of some loads: more would make the others slower. */
export function lowestOf(knees: Knee[]): Knee {
  const limits = knees.flatMap(({ limit }) => limit ?? []);
  return {
    target: Math.min(...knees.map(({ target }) => target)),
    ...(limits.length > 0 && { limit: Math.min(...limits) }),
  };
}
