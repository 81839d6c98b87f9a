/** What one turn does, and for how many of those who came. */
export interface Turn {
  size: number;
  /** Settles when they are answered. */
  done: Promise<unknown>;
}

export interface TurnOptions {
  /** After which a turn that was not answered no longer holds the next. */
  stallMs: number;
  /** So many that a turn for them begins without a pause. */
  enough: number;
}

const longestPauseMs = 10;

/**
 * Does work in turns: whoever comes during one waits for the next. After a turn there is a pause, in
 * which those who were just answered can come back and share the next turn with those who waited,
 * instead of every other turn: until all of them are there, for about a quarter of the turn's time and
 * 10 ms at most. Who comes again and again, and is the only one, is never held up.
 *
 * @param take begins the next turn, if anyone waits for it
 * @returns to be called for each that comes
 */
export function takeTurns(
  take: () => Turn | undefined,
  { stallMs, enough }: TurnOptions,
): () => void {
  let idle = true;
  let waiting = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let endPause = () => {};

  async function run(): Promise<void> {
    for (let turn = take(); turn; turn = take()) {
      waiting -= turn.size;
      const begin = performance.now();
      await within(stallMs, (end) => turn.done.then(end, end));
      const pauseMs = Math.min((performance.now() - begin) / 4, longestPauseMs);
      wanted = Math.min(waiting + turn.size, enough);
      if (waiting < wanted) {
        await within(pauseMs, (end) => {
          endPause = end;
        });
      }
      wanted = Number.POSITIVE_INFINITY;
    }
    idle = true;
  }

  return () => {
    waiting++;
    if (waiting >= wanted) endPause();
    if (!idle) return;
    idle = false;
    setImmediate(run);
  };
}

/** Waits until what is begun ends, or for `limitMs`. */
function within(limitMs: number, begin: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs);
    begin(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
