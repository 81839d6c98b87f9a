import type { Attempt, Database } from '../mongo/database';
import { Overloaded } from '../runtime/errors';
import type { Memory, Reservation } from '../runtime/memory';
import { itemJson } from './bson-json';
import { groupCommit } from './group-commit';
import { observeId } from './id';
import { type Insert, insertBatch } from './insert';
import { type Shared, sharedReads } from './shared-reads';

/** JSON that is ready to be sent. */
export interface Json {
  body: Buffer;
  room: Reservation;
}

/** The documents of a database. Each method throws Unavailable when that doesn't answer in time. */
export interface Store {
  /**
   * Stores a document. When this resolves, the write is acknowledged as durable.
   *
   * @param insert made by `toInsert`. Its id and its date are another's afterwards, if one with the same
   *   key was stored before
   * @param since when its request began to wait, in ms as `performance.now()` tells them
   * @throws {Refused} when MongoDB refuses the document
   * @throws {KeyReused} when one with the same key was stored before, and was another document
   */
  insert(insert: Insert, since: number): Promise<void>;
  /**
   * Lists documents, newest first. Pages are told apart by the last id seen, so what is written
   * meanwhile neither moves nor repeats what was there before.
   *
   * @returns a page as JSON, `{"items", "next"}`, of 8 MiB at most and one document more; to be
   *   released when it was sent
   * @throws {Overloaded} when no memory for it becomes free in time
   */
  list(limit: number, cursor?: string): Promise<Shared<Json>>;
  /** @returns the document of this id as JSON, if there is one; otherwise as for `list` */
  find(id: string): Promise<Shared<Json | undefined>>;
}

/** MongoDB takes a command of 16 MiB. Half of that costs no more for each byte, and less memory. */
const batchLimits = { count: 1000, bytes: 8 * 1024 * 1024 };

/** After which a page ends early, so that large documents do not add up. */
const PAGE_BYTES = 8 * 1024 * 1024;

/**
 * Memory to make a page with: MongoDB answers with up to 16 MiB of BSON, which the driver holds
 * twice for a moment, and a page of 8 MiB and a document more is made of it.
 */
const PAGE_ROOM = 40 * 1024 * 1024;

/** Likewise for one document, of which 1 MiB of JSON can be 6.5 MiB of BSON. */
const DOCUMENT_ROOM = 12 * 1024 * 1024;

/** @param timeoutMs after which a request that waits is given up */
export function openStore(database: Database, memory: Memory, timeoutMs: number): Store {
  const insert = groupCommit<Insert>(
    (batch, since) => insertBatch(database, batch, since),
    batchLimits,
  );

  /** Reads JSON with room for it, which is taken when MongoDB is there to answer. */
  async function read(
    name: 'find' | 'list',
    bytes: number,
    since: number,
    query: (attempt: Attempt) => Promise<Buffer | undefined>,
  ): Promise<Json | undefined> {
    await database.ready(since);
    const room = await memory.reserve(bytes, 'read', since + timeoutMs);
    try {
      const body = await database.run(name, query, since);
      if (!room.resize(body?.length ?? 0)) throw new Overloaded('no memory for so much JSON');
      return body && { body, room };
    } catch (error) {
      room.release();
      throw error;
    }
  }

  const list = sharedReads(
    (key, since) => {
      const [limit, cursor] = key.split(' ') as [string, string];
      return read('list', PAGE_ROOM, since, (attempt) =>
        findPage(attempt, Number(limit), cursor),
      ) as Promise<Json>;
    },
    ({ room }) => room.release(),
  );

  const find = sharedReads(
    (id, since) =>
      read('find', DOCUMENT_ROOM, since, async ({ documents, maxTimeMS, signal }) => {
        const stored = await documents.findOne(
          { _id: id },
          { raw: true, projection, maxTimeMS, signal },
        );
        if (!stored) return undefined;
        observeId(id);
        return itemJson(stored as unknown as Uint8Array).json;
      }),
    (found) => found?.room.release(),
  );

  return {
    insert: (one, since) => insert(one, one.document.bytes, since),
    list: (limit, cursor = '') => list(`${limit} ${cursor}`),
    find,
  };
}

/** Sorts after all UUIDs. Ids of other types, which other programs may have chosen, are left out. */
const afterAllIds = 'g';

const projection = { createdAt: 1, data: 1 };

async function findPage(
  { documents, maxTimeMS, signal }: Attempt,
  limit: number,
  cursor: string,
): Promise<Buffer> {
  await using found = documents.find(
    { _id: { $lt: cursor || afterAllIds } },
    {
      raw: true,
      projection,
      sort: { _id: -1 },
      limit: limit + 1,
      batchSize: limit + 1, // all at once, unless they are large: MongoDB's first batch is of 101
      maxTimeMS,
      signal,
    },
  );
  const parts: Buffer[] = [Buffer.from('{"items":[')];
  let bytes = 0;
  let count = 0;
  let last: string | undefined;
  const page = (next: string | null) =>
    Buffer.concat([...parts, Buffer.from(`],"next":${JSON.stringify(next)}}`)]);
  while (await found.hasNext()) {
    for (const stored of found.readBufferedDocuments() as unknown as Uint8Array[]) {
      if (count === limit || bytes > PAGE_BYTES) return page(last as string);
      const { id, json } = itemJson(stored);
      if (count === 0) observeId(id);
      else parts.push(comma);
      parts.push(json);
      bytes += json.length;
      count++;
      last = id;
    }
  }
  return page(null);
}

const comma = Buffer.from(',');
