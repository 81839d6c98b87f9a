/** What is known of one kind of operation from its earlier attempts. */
export interface OperationHistory {
  /** How long an attempt usually takes at most, in ms: four times as long as the last success took. */
  usualMs(): number;
  /**
   * How long an attempt may go without a reply before its session becomes suspect, in ms. It triples
   * after each attempt that timed out, and is `usualMs` again after a success.
   */
  suspectAfterMs(): number;
  /** Records that an attempt succeeded, after a time in ms. */
  succeeded(durationMs: number): void;
  /** Records that an attempt got no reply in time. */
  timedOut(): void;
  /** Records an error reply. @returns for how long MongoDB has sent nothing but errors, in ms */
  failed(): number;
}

/** The shortest `usualMs`. */
const minUsualMs = 1000;

const noErrors = { since: 0, last: Number.NEGATIVE_INFINITY };

/** @param timeoutMs how long a request may take */
export function createHistory(timeoutMs: number): OperationHistory {
  const shortestMs = Math.min(minUsualMs, timeoutMs / 4);
  let usualMs = shortestMs;
  let suspectAfterMs = shortestMs;
  /** When MongoDB started to reply with errors only, and when it last did. */
  let errors = noErrors;

  return {
    usualMs: () => usualMs,
    suspectAfterMs: () => suspectAfterMs,
    succeeded(durationMs) {
      usualMs = Math.min(Math.max(4 * durationMs, shortestMs), timeoutMs);
      suspectAfterMs = usualMs;
      errors = noErrors;
    },
    timedOut() {
      suspectAfterMs = Math.min(3 * suspectAfterMs, timeoutMs);
    },
    failed() {
      const now = performance.now();
      // after a time without attempts, nothing is known
      const since = now - errors.last > timeoutMs ? now : errors.since;
      errors = { since, last: now };
      return now - since;
    },
  };
}
