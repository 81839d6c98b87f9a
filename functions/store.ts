import type { Database, Stored } from './database';
import type { JsonObject } from './document';
import { groupCommit } from './group-commit';
import { dateOf, newId } from './id';
import { insertBatch } from './insert';
import { Problem } from './problem';
import { sharedReads } from './shared-reads';

/** A document as clients see it. */
export interface Item {
  id: string;
  createdAt: Date;
  data: JsonObject;
}

export interface Page {
  items: Item[];
  /** The cursor of the next page, or null on the last. */
  next: string | null;
}

/** The documents of a database. Each method throws a Problem, 503, when that doesn't answer. */
export interface Store {
  /**
   * Stores an object under an id of its own. When this resolves, the write is acknowledged as
   * durable. The id is chosen before the write, so that a write whose acknowledgement was lost can
   * be repeated and is still stored once.
   *
   * @param size of its JSON in bytes
   * @throws {Problem} 422 when the driver or the database refuses the object
   */
  insert(data: JsonObject, size: number): Promise<Item>;
  /**
   * Lists documents, newest first. Pages are told apart by the last id seen, so what is written
   * meanwhile neither moves nor repeats what was there before.
   *
   * @returns a Page as JSON, of 8 MiB at most and one document more
   */
  list(limit: number, cursor?: string): Promise<Buffer>;
  /** @returns an Item as JSON, if there is one of this id */
  find(id: string): Promise<Buffer | undefined>;
}

/** As BSON, JSON is up to 6.5 times as long, and MongoDB takes a command of 16 MiB. */
const batchLimits = { count: 1000, bytes: 2 * 1024 * 1024 };

const mayBeStored =
  'The database does not answer. The document may have been stored all the same, under the id given' +
  ' here: look for it before you post it again.';

/** @param timeoutMs after which the database gives a request up */
export function openStore(database: Database, timeoutMs: number): Store {
  const stallMs = timeoutMs / 4;

  const insert = groupCommit<Stored>((batch, since) => insertBatch(database, batch, since), {
    ...batchLimits,
    stallMs,
  });

  const list = sharedReads((key, since) => {
    const [limit, cursor] = key.split(' ') as [string, string];
    return findPage(database, Number(limit), cursor, since);
  }, stallMs);

  const find = sharedReads(async (id, since) => {
    const stored = await database.run(
      ({ documents, maxTimeMS }) => documents.findOne({ _id: id }, { maxTimeMS }),
      since,
    );
    return stored ? Buffer.from(JSON.stringify(toItem(stored))) : undefined;
  }, stallMs);

  return {
    async insert(data, size) {
      const _id = newId();
      const stored = { _id, createdAt: dateOf(_id), data };
      await insert(stored, size).catch((error) => {
        throw error instanceof Problem && error.type === 'database-unavailable'
          ? new Problem(error.type, mayBeStored, { ...error.more, id: _id })
          : error;
      });
      return toItem(stored);
    },
    list: (limit, cursor = '') => list(`${limit} ${cursor}`),
    find,
  };
}

/** After which a page ends early, so that large documents do not add up. */
const PAGE_BYTES = 8 * 1024 * 1024;

function findPage(
  database: Database,
  limit: number,
  cursor: string,
  since: number,
): Promise<Buffer> {
  return database.run(async ({ documents, maxTimeMS }) => {
    await using found = documents.find(cursor ? { _id: { $lt: cursor } } : {}, {
      sort: { _id: -1 },
      limit: limit + 1,
      batchSize: limit + 1, // all at once, unless they are large: MongoDB's first batch is of 101
      maxTimeMS,
    });
    const items: string[] = [];
    let bytes = 0;
    let last = '';
    const page = (next: string | null) =>
      Buffer.from(`{"items":[${items.join()}],"next":${JSON.stringify(next)}}`);
    while (await found.hasNext()) {
      for (const stored of found.readBufferedDocuments()) {
        if (items.length === limit || bytes > PAGE_BYTES) return page(last);
        const item = JSON.stringify(toItem(stored));
        items.push(item);
        bytes += Buffer.byteLength(item);
        last = stored._id;
      }
    }
    return page(null);
  }, since);
}

function toItem({ _id, createdAt, data }: Stored): Item {
  return { id: _id, createdAt, data };
}
