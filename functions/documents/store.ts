import type { Filter, Sort } from 'mongodb';
import type { Stored } from '../mongo/client';
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
 * Memory for a page while MongoDB makes it: the longest possible reply. It becomes a page of 8 MiB and
 * one document. The driver's copy of the reply and the parts of the page exist only for a moment, in
 * one read at a time.
 */
const PAGE_MEMORY = 16 * 1024 * 1024;

/** The most bytes of BSON that a byte of JSON becomes. */
const BSON_PER_JSON = 6.5;

/**
 * @param timeoutMs how long a request may wait
 * @param bodyLimitBytes the longest document, as JSON
 */
export function openStore(
  database: Database,
  memory: Memory,
  timeoutMs: number,
  bodyLimitBytes: number,
): Store {
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
      readJson('find', BSON_PER_JSON * bodyLimitBytes, waitingSince, (attempt) =>
        findDocument(attempt, id),
      ),
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

/** Sends one query, and does not ask for the rest of a long result, as there is no memory for a second reply. */
async function firstReply(
  { documents, maxTimeMS, signal }: Attempt,
  filter: Filter<Stored>,
  options: { sort?: Sort; limit: number },
): Promise<{ stored: Uint8Array[]; isCut: boolean }> {
  // closed before the documents are converted, as it keeps the reply until then
  await using found = documents.find(filter, {
    ...options,
    batchSize: options.limit + 1, // above the limit, so that no cursor is left if all fit into the reply
    raw: true,
    projection: { createdAt: 1, data: 1 },
    maxTimeMS,
    signal,
  });
  await found.hasNext();
  return {
    stored: found.readBufferedDocuments() as unknown as Uint8Array[],
    isCut: found.id !== undefined && !found.id.isZero(),
  };
}

async function findDocument(attempt: Attempt, id: string): Promise<Buffer | undefined> {
  const { stored } = await firstReply(attempt, { _id: id }, { limit: 1 });
  if (!stored[0]) return undefined;
  observeId(id);
  return itemJson(stored[0]).json;
}

/** Which documents a page has. */
interface Page {
  limit: number;
  cursor: string | undefined;
}

async function findPage(attempt: Attempt, { limit, cursor = afterAllIds }: Page): Promise<Buffer> {
  const { stored, isCut } = await firstReply(
    attempt,
    { _id: { $lt: cursor } },
    { sort: { _id: -1 }, limit: limit + 1 },
  );
  const parts: Buffer[] = [Buffer.from('{"items":[')];
  let bytes = 0;
  let last: string | null = null;
  const page = (next: string | null) =>
    Buffer.concat([...parts, Buffer.from(`],"next":${JSON.stringify(next)}}`)]);
  for (const [count, document] of stored.entries()) {
    if (count === limit || bytes > PAGE_BYTES) return page(last);
    const { id, json } = itemJson(document);
    if (count === 0) observeId(id);
    else parts.push(comma);
    parts.push(json);
    bytes += json.length;
    last = id;
  }
  return page(isCut ? last : null);
}

const comma = Buffer.from(',');
