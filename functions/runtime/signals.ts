/** A signal again within this time is a repeat: npm forwards what the terminal has sent to all processes. */
const repeatMs = 1000;

/**
 * Waits for SIGTERM, SIGINT or SIGHUP. A second signal ends the process at once, unless it repeats the
 * first within a second.
 *
 * @returns the name of the signal
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: { signal: NodeJS.Signals; at: number } | undefined;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        first ??= { signal, at: performance.now() };
        if (signal !== first.signal || performance.now() - first.at > repeatMs) process.exit(1);
        resolve(signal);
      });
    }
  });
}
