/** What one replica did with a number of requests under way. */
export interface Step {
  /** Requests under way at any moment. */
  concurrency: number;
  /** Requests answered a second. */
  throughput: number;
  /** Milliseconds. */
  p95: number;
  /** The part of the requests that failed. */
  failed: number;
}

export interface Knee {
  /** The fewest requests under way that bring 90 % of the most throughput. */
  target: number;
  /** The most, from there on, that are still answered in time. */
  limit: number;
}

/**
 * Finds where more requests under way only wait longer.
 * @param steps in the order of concurrency
 * @param p95 milliseconds that the 95th percentile may take
 */
export function findKnee(steps: Step[], p95: number): Knee {
  const most = Math.max(...steps.map(({ throughput }) => throughput));
  const knee = steps.findIndex(({ throughput }) => throughput >= 0.9 * most);
  const beyond = steps.slice(knee);
  const late = beyond.findIndex((step) => step.p95 > p95 || step.failed > 0);
  const inTime = late === -1 ? beyond : beyond.slice(0, Math.max(1, late));
  return { target: steps[knee]?.concurrency ?? 0, limit: inTime.at(-1)?.concurrency ?? 0 };
}
