/** One round: how many of the waiting callers it serves. */
export interface Round {
  size: number;
  /** Resolves when the round is over; without the result, which would stay in memory until the next one is. */
  done: Promise<void>;
}

/** Resolves when a promise is fulfilled or rejected. */
export function settled(promise: Promise<unknown>): Promise<void> {
  const ignore = () => {};
  return promise.then(ignore, ignore);
}

const maxPauseMs = 10;

/**
 * Runs work in rounds; callers that arrive during a round share the next. After a round there is a
 * short pause, so that callers who were just served can come back and share the next round with
 * those who waited; otherwise the two groups would alternate. The pause ends when as many callers
 * wait as both groups have, or after a quarter of the round's duration, at most 10 ms. A single
 * caller is never delayed.
 *
 * @param startRound starts the next round, or returns undefined if nobody waits for one
 * @param enough a round for this many callers starts without a pause
 * @returns a function to call for each caller that arrives
 */
export function runInRounds(startRound: () => Round | undefined, enough: number): () => void {
  let isIdle = true;
  let waiting = 0;
  /** How many waiting callers end the pause. */
  let wanted = Number.POSITIVE_INFINITY;
  let endPause = () => {};

  async function run(): Promise<void> {
    for (let round = startRound(); round; round = startRound()) {
      waiting -= round.size;
      const startedAt = performance.now();
      await round.done;
      const pauseMs = Math.min((performance.now() - startedAt) / 4, maxPauseMs);
      wanted = Math.min(waiting + round.size, enough);
      if (waiting < wanted) await pause(pauseMs);
      wanted = Number.POSITIVE_INFINITY;
    }
    isIdle = true;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return () => {
    waiting++;
    if (waiting >= wanted) endPause();
    if (!isIdle) return;
    isIdle = false;
    setImmediate(run);
  };
}
