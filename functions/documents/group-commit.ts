import { setImmediate as nextTurnOfTheLoop } from 'node:timers/promises';
import { takeTurns } from './turns';

export interface Limits {
  /** Items and bytes that a batch takes, unless one item alone has more. */
  count: number;
  bytes: number;
}

/** How far from the first of a batch another may have come, in ms: they share its deadline. */
const spreadMs = 100;

/**
 * Writes a batch.
 *
 * @param since when the first of its items came, in ms as `performance.now()` tells them
 * @returns for each item, in their order, nothing or why it was not written
 * @throws why none was written
 */
export type WriteBatch<Item> = (items: Item[], since: number) => Promise<(Error | undefined)[]>;

interface Batch<Item> {
  items: Item[];
  bytes: number;
  since: number;
  waiting: { resolve(): void; reject(reason: unknown): void }[];
}

/**
 * With so many in a batch, the commit is a small part of its cost. To wait for more would leave the
 * database idle while this process answers, where now each works on a batch.
 */
const worthACommit = 16;

/**
 * Group commit, as databases do it with their logs: what comes while a batch is being written
 * forms the next, so the cost of a commit is shared by all who wait for one.
 *
 * @returns takes an item, its size in bytes, and when it came; resolves when that item is written
 */
export function groupCommit<Item>(write: WriteBatch<Item>, { count, bytes }: Limits) {
  const queue: Batch<Item>[] = [];

  function batchFor(size: number, since: number): Batch<Item> {
    const last = queue.at(-1);
    if (
      last &&
      last.items.length < count &&
      last.bytes + size <= bytes &&
      Math.abs(since - last.since) <= spreadMs
    ) {
      return last;
    }
    const batch = { items: [], bytes: 0, since, waiting: [] };
    queue.push(batch);
    return batch;
  }

  async function answer({ waiting }: Batch<Item>, written: ReturnType<WriteBatch<Item>>) {
    try {
      const errors = await written;
      // the next batch, if it needn't wait for more, is sent before these are answered
      if (queue.length > 0) await nextTurnOfTheLoop();
      for (const [i, { resolve, reject }] of waiting.entries()) {
        if (errors[i]) reject(errors[i]);
        else resolve();
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  const came = takeTurns(() => {
    const batch = queue.shift();
    if (!batch) return undefined;
    const written = write(batch.items, batch.since);
    void answer(batch, written);
    return { size: batch.items.length, done: written };
  }, worthACommit);

  return (item: Item, size: number, since: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const batch = batchFor(size, since);
      batch.items.push(item);
      batch.bytes += size;
      batch.waiting.push({ resolve, reject });
      came();
    });
}
