import { createPace } from './pace';

/** One round: how many of the waiting callers it serves. */
export interface Round {
  size: number;
  /**
   * Resolves when the round is over, to whether its duration tells how busy the database is: not if the
   * round failed, or needed more than one command. The result itself would stay in memory for too long.
   */
  done: Promise<boolean>;
}

/** Resolves when a promise is fulfilled or rejected, for `Round.done`. */
export function settled<Result>(
  promise: Promise<Result>,
  isTypical: (result: Result) => boolean = () => true,
): Promise<boolean> {
  return promise.then(isTypical, () => false);
}

const maxPauseMs = 10;

/**
 * Runs work in rounds; callers that arrive during a round share the next. After a round there is a
 * short pause, so that callers who were just served can come back and share the next round with
 * those who waited; otherwise the two groups would alternate. The pause ends when as many callers
 * wait as both groups have, or after a quarter of the round's duration, at most 10 ms. A single
 * caller is never delayed. If rounds take long, the next may start before the previous one is over.
 *
 * @param startRound starts the next round, or returns undefined if nobody waits for one
 * @param enough a round for this many callers starts without a pause
 * @param pace decides whether rounds overlap
 * @returns a function to call for each caller that arrives, once it waits: a round may start at once
 */
export function runInRounds(
  startRound: () => Round | undefined,
  enough: number,
  pace = createPace(),
): () => void {
  let isIdle = true;
  let waiting = 0;
  let inFlight = 0;
  /** Whether any round has overlapped another since none was in flight. */
  let haveOverlapped = false;
  let lastStart = 0;
  /** During a pause, how many waiting callers end it. */
  let wanted = Number.POSITIVE_INFINITY;
  /** Ends a pause, or the time until another round may start while others are in flight. */
  let timer: NodeJS.Timeout | undefined;

  const isPause = () => wanted < Number.POSITIVE_INFINITY;

  function startNext(): void {
    clearTimeout(timer);
    wanted = Number.POSITIVE_INFINITY;
    if (inFlight > 0 && (waiting === 0 || inFlight >= pace.limit())) return;
    const round = startRound();
    if (!round) {
      isIdle = true;
      return;
    }
    waiting -= round.size;
    void run(round);
    if (waiting > 0) scheduleNext();
  }

  async function run({ size, done }: Round): Promise<void> {
    haveOverlapped = inFlight++ > 0;
    const startedAt = performance.now();
    lastStart = startedAt;
    const isTypical = await done;
    inFlight--;
    const durationMs = performance.now() - startedAt;
    if (isTypical) pace.ended(durationMs, !haveOverlapped);
    const hasPaused = isPause();
    wanted = Math.min((hasPaused ? wanted : waiting) + size, enough);
    if (waiting >= wanted) startNext();
    else if (!hasPaused) startAfter(Math.min(durationMs / 4, maxPauseMs));
  }

  function startAfter(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(startNext, ms);
  }

  /** Schedules the next round while others are in flight. */
  function scheduleNext(): void {
    if (inFlight >= pace.limit()) return;
    startAfter(Math.max(0, lastStart + pace.intervalMs() - performance.now()));
  }

  return () => {
    waiting++;
    if (isIdle) {
      isIdle = false;
      setImmediate(startNext);
    } else if (waiting >= wanted) {
      startNext();
    } else if (waiting === 1 && inFlight > 0 && !isPause()) {
      scheduleNext();
    }
  };
}
