/** What one turn does, and for how many of those who came. */
export interface Turn {
  size: number;
  /** Settles when they are answered. */
  done: Promise<unknown>;
}

const longestPauseMs = 10;

/**
 * Does work in turns: whoever comes during one waits for the next. After a turn there is a pause, in
 * which those who were just answered can come back and share the next turn with those who waited,
 * instead of every other turn: until all of them are there, for about a quarter of the turn's time and
 * 10 ms at most. A single caller is never delayed.
 *
 * @param take begins the next turn, if anyone waits for it
 * @param enough so many that a turn for them begins without a pause
 * @returns to be called for each that comes
 */
export function takeTurns(take: () => Turn | undefined, enough: number): () => void {
  let idle = true;
  let waiting = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let endPause = () => {};

  async function run(): Promise<void> {
    for (let turn = take(); turn; turn = take()) {
      waiting -= turn.size;
      const begin = performance.now();
      await turn.done.catch(() => {});
      const pauseMs = Math.min((performance.now() - begin) / 4, longestPauseMs);
      wanted = Math.min(waiting + turn.size, enough);
      if (waiting < wanted) await pause(pauseMs);
      wanted = Number.POSITIVE_INFINITY;
    }
    idle = true;
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
    if (!idle) return;
    idle = false;
    setImmediate(run);
  };
}
