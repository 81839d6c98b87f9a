import { turnOf } from './turn';

/**
 * Lets identical reads share a query: those that come while one is under way wait and share the
 * next. So whoever asks gets the result of a query that was sent after they asked, and everyone
 * reads their own writes.
 *
 * @param read sends a query; `since` is when the first of those who share it came, in ms as
 *   `performance.now()` tells them
 * @param stallMs after which a query that was not answered no longer holds the next
 */
export function sharedReads<Result>(
  read: (key: string, since: number) => Promise<Result>,
  stallMs: number,
) {
  const underWay = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<Result>>();

  function send(key: string, since: number): Promise<Result> {
    waiting.delete(key);
    const result = read(key, since);
    const turn = turnOf(result, stallMs).then(() => {
      if (underWay.get(key) === turn) underWay.delete(key);
    });
    underWay.set(key, turn);
    return result;
  }

  return (key: string): Promise<Result> => {
    const now = performance.now();
    const turn = underWay.get(key);
    if (!turn) return send(key, now);
    const shared = waiting.get(key) ?? turn.then(() => send(key, now));
    waiting.set(key, shared);
    return shared;
  };
}
