/** How many rounds of one kind of work may be in flight at once, and how far apart they start. */
export interface Pace {
  /** The most rounds in flight. */
  limit(): number;
  /** How long after the start of one round another may start beside it, in ms. */
  intervalMs(): number;
  /**
   * Learns from a round.
   *
   * @param ranAlone whether no other was in flight at any time while it was
   */
  ended(durationMs: number, ranAlone: boolean): void;
}

/**
 * The most rounds in flight. With three, a caller waits a sixth of a round for the next one, on
 * average. More would save little of that, and take connections from other requests.
 */
const maxRounds = 3;
/** Closer together, rounds would only be smaller: one that takes less than this overlaps none that starts later. */
const minIntervalMs = 25;
/** A round that takes this much longer than usual was delayed by those that ran at the same time. */
const delayed = 1.5;
/** Where rounds delay each other, this many run alone before two overlap again. */
const roundsAlone = 8;

/**
 * Spreads up to three rounds over the time that one takes, unless they delay each other: a database
 * that is far away serves several at once, one that is busy serves them in turn. The first round runs
 * alone, as nobody knows yet how long it takes.
 */
export function createPace(): Pace {
  /** The usual time of a round: only rounds that ran alone can raise it. */
  let usualMs: number | undefined;
  let limit = 1;
  let alone = roundsAlone - 1;
  return {
    limit: () => limit,
    intervalMs: () => Math.max((usualMs ?? 0) / maxRounds, minIntervalMs),
    ended(durationMs, ranAlone) {
      usualMs ??= durationMs;
      if (!ranAlone && durationMs > usualMs * delayed) {
        limit = Math.max(1, limit - 1);
        alone = 0;
        return;
      }
      if (ranAlone || durationMs < usualMs) usualMs += (durationMs - usualMs) / 4;
      if (!ranAlone) limit = Math.min(limit + 1, maxRounds);
      else if (limit === 1 && ++alone >= roundsAlone) limit = 2;
    },
  };
}
