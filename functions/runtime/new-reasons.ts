/** The most reasons in an interval, as a reason may contain what differs each time. */
const maxReasons = 10;

/**
 * Keeps the log short while the same things fail again and again.
 *
 * @param intervalMs after which time a reason is new again, in ms
 * @returns whether to log a failure: each reason is new once in an interval, and ten reasons at most
 */
export function newReasons(intervalMs: number): (reason: string) => boolean {
  let since = Number.NEGATIVE_INFINITY;
  let given = new Set<string>();
  return (reason) => {
    const now = performance.now();
    if (now - since >= intervalMs) {
      since = now;
      given = new Set();
    }
    if (given.has(reason) || given.size === maxReasons) return false;
    given.add(reason);
    return true;
  };
}
