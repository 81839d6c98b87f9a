/**
 * Runs a task again and again, never twice at a time.
 *
 * @param everyMs between two starts
 * @param hiddenMs the same while nobody sees the page; it runs at once when it is seen again
 * @returns runs it now, or right after the run in progress
 */
export function repeat(
  task: () => Promise<unknown>,
  everyMs: number,
  hiddenMs: number,
): () => Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let again = false;

  async function run(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    clearTimeout(timer);
    running = true;
    again = false;
    const start = performance.now();
    try {
      await task();
    } finally {
      running = false;
      const pause = document.hidden ? hiddenMs : everyMs;
      const left = again ? 0 : Math.max(50, pause - (performance.now() - start));
      timer = setTimeout(run, left);
    }
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void run();
  });
  void run();
  return run;
}
