import { setImmediate as nextLoopIteration } from 'node:timers/promises';
import { batchSent, sharingJoined } from './events';
import { type Round, runInRounds, settled } from './rounds';

export interface BatchLimits {
  /** The most items and bytes in a batch. A single larger item gets a batch of its own. */
  count: number;
  bytes: number;
}

/**
 * How far apart the items of a batch may have arrived, in ms, as they share the deadline of the first: twice as
 * long as the last write took, so that what arrives during one write fits into the next and a slow database
 * does not let the queue grow; at least 100 ms, and at most a second, which is little of the time limit.
 */
const spreadAfter = (writeMs: number) => Math.min(Math.max(100, 2 * writeMs), 1000);

/** How a batch was written. */
export interface Written {
  /** For each item, in order, undefined if it was written, or else why not. */
  outcomes: (Error | undefined)[];
  /** Whether it took as long as batches do: one command, which succeeded. */
  isTypical: boolean;
}

/**
 * Writes a batch.
 *
 * @param waitingSince when its first item arrived, in ms on the clock of `performance.now()`
 * @throws why no item was written
 */
export type WriteBatch<Item> = (items: Item[], waitingSince: number) => Promise<Written>;

interface Batch<Item> {
  items: Item[];
  bytes: number;
  waitingSince: number;
  callers: { resolve(): void; reject(reason: unknown): void }[];
}

/**
 * From this many items on, a batch is sent without waiting for more: the commit is then a small part
 * of its cost, and waiting would leave the database idle while this process sends responses.
 */
const minBatch = 16;

/**
 * Group commit, as databases do it with their logs: items that arrive while a batch is being written
 * form the next batch, so that many items share the cost of one commit. Up to three batches are in
 * flight, as long as they do not delay each other.
 *
 * @returns adds an item, with its size in bytes and when it arrived; resolves when it is written
 */
export function groupCommit<Item>(write: WriteBatch<Item>, limits: BatchLimits) {
  const queue: Batch<Item>[] = [];
  let maxSpreadMs = spreadAfter(0);

  function batchFor(size: number, arrivedAt: number): Batch<Item> {
    const last = queue.at(-1);
    if (
      last &&
      last.items.length < limits.count &&
      last.bytes + size <= limits.bytes &&
      Math.abs(arrivedAt - last.waitingSince) <= maxSpreadMs
    ) {
      return last;
    }
    const batch = { items: [], bytes: 0, waitingSince: arrivedAt, callers: [] };
    queue.push(batch);
    return batch;
  }

  async function settle({ callers }: Batch<Item>, written: ReturnType<WriteBatch<Item>>) {
    const startedAt = performance.now();
    try {
      const { outcomes } = await written;
      maxSpreadMs = spreadAfter(performance.now() - startedAt);
      // so that the next batch, if it is large enough, is sent before these callers go on
      if (queue.length > 0) await nextLoopIteration();
      for (const [i, { resolve, reject }] of callers.entries()) {
        if (outcomes[i]) reject(outcomes[i]);
        else resolve();
      }
    } catch (error) {
      for (const { reject } of callers) reject(error);
    }
  }

  function writeNext(): Round | undefined {
    const batch = queue.shift();
    if (!batch) return undefined;
    const size = batch.items.length;
    const written = batchSent.runStores({ group: batch, size }, () =>
      write(batch.items, batch.waitingSince),
    );
    void settle(batch, written);
    return { size, done: settled(written, ({ isTypical }) => isTypical) };
  }
  const arrived = runInRounds(writeNext, minBatch);

  return (item: Item, size: number, arrivedAt: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const batch = batchFor(size, arrivedAt);
      batch.items.push(item);
      batch.bytes += size;
      batch.callers.push({ resolve, reject });
      sharingJoined.publish(batch);
      arrived();
    });
}
