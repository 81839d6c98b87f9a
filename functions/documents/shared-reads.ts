import { takeTurns } from './turns';

/** What readers share. */
export interface Shared<Result> {
  value: Result;
  /** To be called once by each of them, when they need it no longer. */
  release(): void;
}

/** A query that is not sent yet. */
interface Query<Result> {
  readers: number;
  send(): void;
  result: Promise<Shared<Result>>;
}

/**
 * Lets identical reads share a query: those that come while one is under way wait and share the
 * next. So whoever asks gets the result of a query that was sent after they asked, and everyone
 * reads their own writes.
 *
 * @param read sends a query; `since` is when the first of those who share it came, in ms as
 *   `performance.now()` tells them
 * @param dispose is called when all who share a result have released it
 */
export function sharedReads<Result>(
  read: (key: string, since: number) => Promise<Result>,
  dispose: (result: Result) => void,
) {
  const asked = new Map<string, () => Promise<Shared<Result>>>();

  function queriesFor(key: string): () => Promise<Shared<Result>> {
    let next: Query<Result> | undefined;
    const came = takeTurns(() => {
      if (!next) {
        asked.delete(key);
        return undefined;
      }
      const { readers, send, result } = next;
      next = undefined;
      send();
      return { size: readers, done: result };
    }, Number.POSITIVE_INFINITY);
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
    const result = new Promise<Shared<Result>>((resolve) => {
      send = () => resolve(read(key, since).then((value) => share(value, query.readers)));
    });
    const query = { readers: 0, send, result };
    return query;
  }

  function share(value: Result, readers: number): Shared<Result> {
    let left = readers;
    return {
      value,
      release() {
        if (--left === 0) dispose(value);
      },
    };
  }

  return (key: string): Promise<Shared<Result>> => {
    const ask = asked.get(key) ?? queriesFor(key);
    asked.set(key, ask);
    return ask();
  };
}
