import { setMaxListeners } from 'node:events';
import { deferred } from '../runtime/deferred';

/** MongoDB did not reply in time. */
export class TimedOut extends Error {
  override name = 'TimedOut';

  override message = 'MongoDB did not reply in time';
}

/** A time limit. Its signal is aborted, and `exceeded` rejects with TimedOut, when it is over. */
export function createTimeLimit(ms: number) {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // the driver adds one per step
  const { promise: exceeded, reject } = deferred<never>();
  exceeded.catch(() => {});
  const abort = () => {
    const error = new TimedOut();
    reject(error);
    controller.abort(error);
  };
  const cancel = afterPoll(ms, abort);
  return { signal: controller.signal, exceeded, abort, cancel };
}

/**
 * Calls back after a time, but not before what has arrived by then is processed: after a pause of the
 * process, a reply may have been waiting.
 *
 * @returns a function that cancels it
 */
export function afterPoll(ms: number, callback: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(callback);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
