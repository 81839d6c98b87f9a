import type { Answer } from './http';

/** What the latest answers have shown. Times are in ms on the clock of `performance.now()`. */
export interface Signals {
  /** The latest answer to `GET /time`; undefined if there was none. */
  time: Answer | undefined;
  /** How many requests for the time in a row got no answer or a 5xx. */
  failures: number;
  /** The latest answer to `GET /readyz`. */
  readiness: Answer | undefined;
  /** When a request for documents was last turned away, and when the database last failed one. */
  overloadedAt: number;
  unavailableAt: number;
}

/** How the service is, in words. */
export interface ServiceState {
  level: 'wait' | 'ok' | 'bad';
  title: string;
  text: string;
}

/** How long a 503 of one request is shown, in ms. */
const shownMs = 8000;

/** Judges the signals, the worst first. */
export function judge(signals: Signals, now: number): ServiceState {
  const { time, failures, readiness, overloadedAt, unavailableAt } = signals;
  const bad = (title: string, text: string): ServiceState => ({ level: 'bad', title, text });
  if (failures > 1) {
    return time
      ? bad(`The service answers ${time.status}`, 'This page keeps asking.')
      : bad('The service does not answer', 'This page keeps asking.');
  }
  if (time?.status === 401) {
    return { level: 'wait', title: 'This service needs a token', text: '' };
  }
  if (time?.status === 403) return bad('This token lacks a scope', time.problem?.detail ?? '');
  const detail = readiness?.problem?.detail ?? '';
  if (detail.includes('shutting down')) {
    return bad(
      'Draining',
      'The replica that answered is shutting down; it still answers requests.',
    );
  }
  const database = readiness?.json?.database;
  if (database === 'unreachable' || now - unavailableAt < shownMs) {
    return bad(
      'The database is unreachable',
      'Documents have to wait for it; the time is served as usual.',
    );
  }
  if (readiness?.problem) return bad('Not ready', detail);
  if (now - overloadedAt < shownMs) {
    return bad(
      'Overloaded',
      'A request was turned away, so that others are served. It is tried again.',
    );
  }
  if (!time || !readiness) return { level: 'wait', title: 'Asking the service …', text: '' };
  return { level: 'ok', title: 'Serving', text: '· the database is reachable' };
}
