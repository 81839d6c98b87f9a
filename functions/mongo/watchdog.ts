/** Notices when an event that should occur regularly does not. */
export interface Watchdog {
  start(): void;
  stop(): void;
  /** To be called each time the event occurs. */
  seen(): void;
  /** False when the event did not occur although `onSilence` had time to help. */
  healthy(): boolean;
}

/** Missed intervals that are tolerated. While a server is frozen, the driver may miss three. */
const maxMissed = 5;

/**
 * @param intervalMs how often the event should occur
 * @param onSilence is called after five intervals without an event, and after each five more
 */
export function createWatchdog(intervalMs: number, onSilence: () => void): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  /** Intervals without an event. Counted, not measured, as a paused process has missed only one. */
  let missed = 0;

  return {
    start() {
      timer ??= setInterval(() => {
        missed++;
        if (missed % maxMissed === 0) onSilence();
      }, intervalMs).unref();
    },
    stop() {
      clearInterval(timer);
    },
    seen() {
      missed = 0;
    },
    healthy: () => missed < 2 * maxMissed,
  };
}
