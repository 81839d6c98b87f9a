import { readSent, sharingJoined } from './events';
import { runInRounds, settled } from './rounds';

/** The result of a read that several callers share. */
export interface SharedResult<Result> {
  value: Result;
  /** To be called once by each caller, when it no longer needs the value. */
  release(): void;
}

/** A read that callers still join. */
interface PendingRead<Result> {
  callers: number;
  send(): void;
  result: Promise<SharedResult<Result>>;
}

/**
 * Lets identical reads share a query. Callers that arrive while one is in flight share the next one,
 * which may be sent before the first has ended.
 * Every caller gets the result of a query that was sent after its call, and so reads its own writes.
 *
 * @param read sends a query; `waitingSince` is when its first caller arrived, in ms on the clock of
 *   `performance.now()`
 * @param dispose is called when all callers that share a result have released it
 * @returns reads by a query; queries with the same JSON are identical
 */
export function sharedReads<Query, Result>(
  read: (query: Query, waitingSince: number) => Promise<Result>,
  dispose: (result: Result) => void,
) {
  /** By the JSON of their query. */
  const readers = new Map<string, () => Promise<SharedResult<Result>>>();

  /** Reads by one query. Removes itself when no caller is left. */
  function createReader(key: string, query: Query): () => Promise<SharedResult<Result>> {
    let next: PendingRead<Result> | undefined;
    const arrived = runInRounds(() => {
      if (!next) {
        readers.delete(key);
        return undefined;
      }
      const group = next;
      next = undefined;
      readSent.runStores({ group, size: group.callers }, group.send);
      return { size: group.callers, done: settled(group.result) };
    }, Number.POSITIVE_INFINITY);
    return () => {
      next ??= createPendingRead(query);
      const pending = next;
      pending.callers++;
      sharingJoined.publish(pending);
      arrived();
      return pending.result;
    };
  }

  function createPendingRead(query: Query): PendingRead<Result> {
    const waitingSince = performance.now();
    let send = () => {};
    const result = new Promise<SharedResult<Result>>((resolve) => {
      send = () =>
        resolve(read(query, waitingSince).then((value) => share(value, pending.callers)));
    });
    const pending = { callers: 0, send, result };
    return pending;
  }

  function share(value: Result, callers: number): SharedResult<Result> {
    let remaining = callers;
    return {
      value,
      release() {
        if (--remaining === 0) dispose(value);
      },
    };
  }

  return (query: Query): Promise<SharedResult<Result>> => {
    const key = JSON.stringify(query);
    const readNext = readers.get(key) ?? createReader(key, query);
    readers.set(key, readNext);
    return readNext();
  };
}
