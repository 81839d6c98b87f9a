import { MongoServerError } from 'mongodb';
import { v7 as uuidv7 } from 'uuid';
import type { Database, Stored } from './database';
import type { JsonObject } from './document';
import { Problem } from './problem';

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

/**
 * Stores an object under an id of its own. When this returns, the write is acknowledged as durable.
 * The id is chosen here, before the write, so that a write whose acknowledgement was lost can be
 * repeated and is still stored once.
 *
 * @throws {Problem} 422 when the driver or the database refuses the object, 503 when the database
 *   doesn't answer
 */
export async function insertDocument(database: Database, data: JsonObject): Promise<Item> {
  const _id = uuidv7();
  const stored: Stored = { _id, createdAt: dateOf(_id), data };
  await database.run(async (documents, { attempt }) => {
    try {
      await documents.insertOne(stored);
    } catch (error) {
      if (attempt > 1 && isDuplicateKey(error)) return;
      throw refusal(error) ?? error;
    }
  });
  return toItem(stored);
}

/**
 * Lists documents, newest first. Pages are told apart by the last id seen, so what is written
 * meanwhile neither moves nor repeats what was there before.
 *
 * @throws {Problem} 503 when the database doesn't answer
 */
export async function listDocuments(
  database: Database,
  limit: number,
  cursor?: string,
): Promise<Page> {
  const found = await database.run((documents, { maxTimeMS }) =>
    documents
      .find(cursor ? { _id: { $lt: cursor } } : {}, {
        sort: { _id: -1 },
        limit: limit + 1,
        maxTimeMS,
      })
      .toArray(),
  );
  const items = found.slice(0, limit).map(toItem);
  return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** @throws {Problem} 503 when the database doesn't answer */
export async function findDocument(database: Database, id: string): Promise<Item | undefined> {
  const stored = await database.run((documents, { maxTimeMS }) =>
    documents.findOne({ _id: id }, { maxTimeMS }),
  );
  return stored ? toItem(stored) : undefined;
}

function toItem({ _id, createdAt, data }: Stored): Item {
  return { id: _id, createdAt, data };
}

/** A UUIDv7 begins with its time in ms (RFC 9562, section 5.7). */
function dateOf(uuid: string): Date {
  return new Date(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16));
}

function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11_000;
}

/** Codes by which a server refuses a document for what is in it. */
const refusalCodes = new Set<unknown>([
  2, // BadValue
  15, // Overflow: nested too deep
  22, // InvalidBSON
  52, // DollarPrefixedFieldName
  56, // EmptyFieldName
  57, // DottedFieldName
  121, // DocumentValidationFailure
  10_334, // BSONObjectTooLarge
]);

/** A 422 in the server's words, which name the field, if that is why the server refused. */
function refusal(error: unknown): Problem | undefined {
  if (!(error instanceof MongoServerError) || !refusalCodes.has(error.code)) return undefined;
  const { message } = error;
  const name = /["'`]([^"'`]*)["'`]/.exec(message)?.[1];
  return new Problem('invalid-document', `The database refuses this: ${message}.`, {
    issues: [{ path: name === undefined ? [] : [name], message }],
    cause: error,
  });
}
