/** Notices when something that should be seen regularly is not. */
export interface Watchdog {
  start(): void;
  stop(): void;
  /** To be called each time it is seen. */
  seen(): void;
  /** False when it was not seen even after `onSilence` has had as long again. */
  healthy(): boolean;
}

/** Heartbeats that may fail to come; a frozen server answers the driver's with up to three's silence. */
const tolerated = 5;

/**
 * @param intervalMs how often it should be seen
 * @param onSilence is called when it was not for five intervals, and after each five more
 */
export function createWatchdog(intervalMs: number, onSilence: () => void): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  /** Counted, not measured: a process that was paused counts one, whatever the clock says. */
  let silent = 0;

  return {
    start() {
      timer ??= setInterval(() => {
        silent++;
        if (silent % tolerated === 0) onSilence();
      }, intervalMs).unref();
    },
    stop() {
      clearInterval(timer);
    },
    seen() {
      silent = 0;
    },
    healthy: () => silent < 2 * tolerated,
  };
}
