import { takeTurns } from './turns';

/** A query that is not sent yet. */
interface Query<Result> {
  readers: number;
  send(): void;
  result: Promise<Result>;
}

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
  const asked = new Map<string, () => Promise<Result>>();

  function queriesFor(key: string): () => Promise<Result> {
    let next: Query<Result> | undefined;
    const came = takeTurns(
      () => {
        if (!next) {
          asked.delete(key);
          return undefined;
        }
        const { readers, send, result } = next;
        next = undefined;
        send();
        return { size: readers, done: result };
      },
      { stallMs, enough: Number.POSITIVE_INFINITY },
    );
    return () => {
      next ??= queryOf(key);
      next.readers++;
      came();
      return next.result;
    };
  }

  function queryOf(key: string): Query<Result> {
    const since = performance.now();
    let send = () => {};
    const result = new Promise<Result>((resolve) => {
      send = () => resolve(read(key, since));
    });
    return { readers: 0, send, result };
  }

  return (key: string): Promise<Result> => {
    const ask = asked.get(key) ?? queriesFor(key);
    asked.set(key, ask);
    return ask();
  };
}
