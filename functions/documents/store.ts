import type { Db, Long } from 'mongodb';
import { COLLECTION } from '../mongo/client';
import type { Attempt, Database } from '../mongo/database';
import { Overloaded } from '../runtime/errors';
import type { Memory, Reservation } from '../runtime/memory';
import { itemJson } from './bson-json';
import { groupCommit } from './group-commit';
import { observeId } from './id';
import { insertBatch } from './insert';
import type { PendingDocument } from './pending-document';
import { type SharedResult, sharedReads } from './shared-reads';

/** JSON that is ready to be sent, and the memory reserved for it. */
export interface ReservedJson {
  body: Buffer;
  reservation: Reservation;
}

/** The stored documents. Each method throws Unavailable if MongoDB does not respond in time. */
export interface Store {
  /**
   * Stores a document. Resolves when the write is acknowledged as durable.
   *
   * @param pending gets the id and date of the stored document, if that was posted before with the
   *   same key
   * @param waitingSince when its request started to wait, in ms on the clock of `performance.now()`
   * @throws {Refused} if MongoDB refuses the document
   * @throws {KeyReused} if another document was stored with the same key
   */
  insert(pending: PendingDocument, waitingSince: number): Promise<void>;
  /**
   * Lists documents, newest first. A cursor is the last id of the previous page, so concurrent writes
   * neither shift nor repeat documents.
   *
   * @returns a page as JSON, `{"items", "next"}`, of at most 8 MiB and one document; to be released
   *   when it was sent
   * @throws {Overloaded} if no memory for it becomes free in time
   */
  list(limit: number, cursor?: string): Promise<SharedResult<ReservedJson>>;
  /** @returns the document with this id as JSON, if there is one; otherwise as for `list` */
  find(id: string): Promise<SharedResult<ReservedJson | undefined>>;
}

/**
 * MongoDB takes commands of up to 16 MiB. Half of that is as efficient per byte, and takes less
 * memory.
 */
const batchLimits = { count: 1000, bytes: 8 * 1024 * 1024 };

/** A page ends early after this many bytes, so that large documents do not add up. */
const PAGE_BYTES = 8 * 1024 * 1024;

/**
 * Memory for a page while MongoDB makes it: its longest reply, which becomes a page of 8 MiB and one
 * document. The driver's copy of the reply and the parts of the page exist only for a moment, in one
 * read at a time.
 */
const PAGE_MEMORY = 16 * 1024 * 1024;

/** Memory for one document while MongoDB reads it: 1 MiB of JSON can be 6.5 MiB of BSON. */
const DOCUMENT_MEMORY = 6.5 * 1024 * 1024;

/** @param timeoutMs how long a request may wait */
export function openStore(database: Database, memory: Memory, timeoutMs: number): Store {
  const enqueue = groupCommit<PendingDocument>(
    (batch, waitingSince) => insertBatch(database, batch, waitingSince),
    batchLimits,
  );

  /** Reads JSON. Reserves memory for it only once MongoDB is reachable. */
  async function readJson(
    name: 'find' | 'list',
    bytes: number,
    waitingSince: number,
    operation: (attempt: Attempt) => Promise<Buffer | undefined>,
  ): Promise<ReservedJson | undefined> {
    await database.ready(waitingSince);
    const reservation = await memory.reserve(bytes, 'read', waitingSince + timeoutMs);
    try {
      const body = await database.run(name, operation, waitingSince);
      if (!reservation.resize(body?.length ?? 0)) {
        throw new Overloaded('no memory for JSON larger than expected');
      }
      return body && { body, reservation };
    } catch (error) {
      reservation.release();
      throw error;
    }
  }

  const list = sharedReads(
    (page: Page, waitingSince) =>
      readJson('list', PAGE_MEMORY, waitingSince, (attempt) =>
        findPage(attempt, page),
      ) as Promise<ReservedJson>,
    ({ reservation }) => reservation.release(),
  );

  const find = sharedReads(
    (id: string, waitingSince) =>
      readJson('find', DOCUMENT_MEMORY, waitingSince, (attempt) => findDocument(attempt, id)),
    (found) => found?.reservation.release(),
  );

  return {
    insert: (pending, waitingSince) => enqueue(pending, pending.document.bytes, waitingSince),
    list: (limit, cursor) => list({ limit, cursor }),
    find,
  };
}

/** Sorts after all UUIDs. Ids of other types, which other programs may have chosen, are left out. */
const afterAllIds = 'g';

/** https://www.mongodb.com/docs/manual/reference/command/find/#output */
interface FirstReply {
  /** The documents, as BSON. */
  firstBatch: Uint8Array[];
  /** Of the cursor with the documents that did not fit into this reply, or 0. */
  id: Long;
}

/**
 * Queries with a bare command: a cursor of the driver could ask for more replies, which have no memory,
 * and would keep this one until it is closed.
 */
async function firstReply(
  { db, documents, maxTimeMS, signal }: Attempt,
  query: { filter: object; sort?: object; limit: number },
): Promise<FirstReply> {
  const command = {
    find: COLLECTION,
    ...query,
    batchSize: query.limit + 1, // above the limit, so that no cursor is left if all fit into the reply
    projection: { createdAt: 1, data: 1 },
    maxTimeMS,
    ...(documents.readConcern && { readConcern: documents.readConcern }),
  };
  const options = { fieldsAsRaw: { firstBatch: true }, promoteLongs: false, signal };
  const { cursor } = (await db.command(command, options)) as { cursor: FirstReply };
  if (!cursor.id.isZero()) closeCursor(db, cursor.id);
  return cursor;
}

/** Nobody waits for this: MongoDB closes an unused cursor itself, after ten minutes. */
function closeCursor(db: Db, id: Long): void {
  db.command({ killCursors: COLLECTION, cursors: [id] }).catch(() => {});
}

async function findDocument(attempt: Attempt, id: string): Promise<Buffer | undefined> {
  const { firstBatch } = await firstReply(attempt, { filter: { _id: id }, limit: 1 });
  const [stored] = firstBatch;
  if (!stored) return undefined;
  observeId(id);
  return itemJson(stored).json;
}

/** Which documents a page has. */
interface Page {
  limit: number;
  cursor: string | undefined;
}

async function findPage(attempt: Attempt, { limit, cursor = afterAllIds }: Page): Promise<Buffer> {
  const { firstBatch, id: rest } = await firstReply(attempt, {
    filter: { _id: { $lt: cursor } },
    sort: { _id: -1 },
    limit: limit + 1,
  });
  const parts: Buffer[] = [Buffer.from('{"items":[')];
  let bytes = 0;
  let last: string | null = null;
  const page = (next: string | null) =>
    Buffer.concat([...parts, Buffer.from(`],"next":${JSON.stringify(next)}}`)]);
  for (const [count, stored] of firstBatch.entries()) {
    if (count === limit || bytes > PAGE_BYTES) return page(last);
    const { id, json } = itemJson(stored);
    if (count === 0) observeId(id);
    else parts.push(comma);
    parts.push(json);
    bytes += json.length;
    last = id;
  }
  return page(rest.isZero() ? null : last);
}

const comma = Buffer.from(',');
