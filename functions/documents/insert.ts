import { COLLECTION, type Session, type Stored } from '../mongo/client';
import type { Attempt, Database } from '../mongo/database';
import { later } from '../mongo/later';
import { KeyReused, Refused } from '../runtime/errors';
import type { Document } from './document';
import { dateOf, newId } from './id';
import { quotedName } from './quoted-name';

/** A document on its way into the database. */
export interface Insert {
  /** Chosen before the write, so that one whose acknowledgement was lost can be repeated. */
  id: string;
  createdAt: Date;
  document: Document;
  /** The Idempotency-Key that it came with, and a hash of it. */
  key?: string | undefined;
  fingerprint?: string | undefined;
  /** How often MongoDB may have got it. */
  sends: number;
  /** Called by the driver when it writes the document into a command, which is then sent. */
  toBSON(): Stored;
}

export function toInsert(document: Document, key: string | undefined): Insert {
  const id = newId();
  return {
    id,
    createdAt: dateOf(id),
    document,
    key,
    fingerprint: key === undefined ? undefined : fingerprintOf(document),
    sends: 0,
    toBSON() {
      this.sends++;
      const stored: Stored = {
        _id: this.id,
        createdAt: this.createdAt,
        data: this.document.value(),
      };
      if (this.key !== undefined) {
        stored.idempotencyKey = this.key;
        stored.fingerprint = this.fingerprint as string;
      }
      return stored;
    },
  };
}

/** Of what is stored: the white space of the request, and how it wrote its numbers, do not count. */
function fingerprintOf({ json }: Document): string {
  return later().createHash('sha256').update(json).digest('base64');
}

/** Nothing when it is stored, durably and once, or why it is not. */
export type Outcome = Error | undefined;

/**
 * Inserts documents with one command, and repeats it until each of them is stored or refused, or the
 * deadline has come. One that is refused takes none of the others with it.
 *
 * @param since when the first of them came, in ms as `performance.now()` tells them
 * @returns for each, in their order, its outcome: Refused, KeyReused, or Unavailable when it may have
 *   been sent (see `sends`) and was not acknowledged
 */
export async function insertBatch(
  database: Database,
  batch: Insert[],
  since: number,
): Promise<Outcome[]> {
  const outcomes = new Map<Insert, Outcome>();
  const open = () => batch.filter((insert) => !outcomes.has(insert));
  try {
    await database.run('insert', (attempt) => insertOpen(attempt, open(), outcomes), since);
  } catch (error) {
    for (const insert of open()) outcomes.set(insert, error as Error);
  }
  return batch.map((insert) => outcomes.get(insert));
}

/** Inserts what has no outcome yet. @throws what is a reason to try again with the rest */
async function insertOpen(
  attempt: Attempt,
  open: Insert[],
  outcomes: Map<Insert, Outcome>,
): Promise<void> {
  let reason: unknown;
  let batch = open;
  if (open.some(({ key }) => key !== undefined)) {
    await indexKeys(attempt).catch((error) => {
      reason = error;
      batch = open.filter(({ key }) => key === undefined);
    });
  }
  if (batch.length > 0) await insertAll(attempt, batch, outcomes);
  if (reason) throw reason;
}

/** Inserts a batch. @throws what is a reason to try again with those that have no outcome then */
async function insertAll(
  attempt: Attempt,
  batch: Insert[],
  outcomes: Map<Insert, Outcome>,
): Promise<void> {
  let reply: Reply;
  try {
    reply = await sendInsert(attempt, batch);
  } catch (error) {
    const refusal = refusalBy(error, batch);
    if (!refusal) throw error;
    if (batch.length === 1) {
      outcomes.set(batch[0] as Insert, refusal);
      return;
    }
    // one that can't be encoded, or that the server can't read, fails all: the halves tell which
    const half = batch.length >> 1;
    await insertAll(attempt, batch.slice(0, half), outcomes);
    return insertAll(attempt, batch.slice(half), outcomes);
  }
  const { n, writeErrors = [], writeConcernError } = reply;
  if (writeConcernError) throw errorOf(writeConcernError);
  if (n + writeErrors.length !== batch.length) {
    throw errorOf({ errmsg: `MongoDB has answered for ${n} of ${batch.length} documents` });
  }

  const failed = new Map(writeErrors.map((error) => [batch[error.index], error]));
  const isTaken = (insert: Insert) => failed.get(insert)?.code === DUPLICATE_KEY;
  const keys = batch.filter(isTaken).flatMap(({ key }) => key ?? []);
  const earlier = keys.length > 0 ? await findByKeys(attempt, keys) : new Map<string, Stored>();
  let reason: unknown;
  for (const insert of batch) {
    const error = failed.get(insert);
    try {
      outcomes.set(insert, error && outcomeOf(insert, error, earlier.get(insert.key ?? '')));
    } catch (again) {
      reason = again;
    }
  }
  if (reason) throw reason;
}

/** https://www.mongodb.com/docs/manual/reference/command/insert/#output */
interface Reply {
  n: number;
  writeErrors?: WriteError[];
  writeConcernError?: { code: number; errmsg: string };
}

interface WriteError {
  index: number;
  code: number;
  errmsg: string;
  keyPattern?: object;
}

/** The command itself: the driver's insertMany wraps what it fails of, and hides a lost connection. */
async function sendInsert({ db, signal, maxTimeMS }: Attempt, batch: Insert[]): Promise<Reply> {
  const command = {
    insert: COLLECTION,
    documents: batch,
    ordered: false,
    maxTimeMS,
    writeConcern: { w: 'majority', j: true },
  };
  try {
    return (await db.command(command, { signal })) as unknown as Reply;
  } catch (error) {
    const { MongoError } = later();
    if (error instanceof MongoError && error.hasErrorLabel('NoWritesPerformed')) {
      for (const insert of batch) insert.sends--;
    }
    throw error;
  }
}

const DUPLICATE_KEY = 11_000;

/** @throws what is a reason to try again */
function outcomeOf(insert: Insert, error: WriteError, earlier: Stored | undefined): Outcome {
  const { code, errmsg, keyPattern } = error;
  const refusal = refusalBy(errorOf(error), [insert]);
  if (refusal) return refusal;
  if (code !== DUPLICATE_KEY) throw errorOf(error);
  if (earlier) return adopt(insert, earlier);
  // FerretDB does not tell which index it was
  const isOwnId = keyPattern ? '_id' in keyPattern : insert.key === undefined;
  if (isOwnId && insert.sends > 1) return undefined;
  if (isOwnId) {
    // never sent before, so it is another document's
    insert.id = newId();
    insert.createdAt = dateOf(insert.id);
  } else if (insert.key === undefined) {
    return new Refused(errmsg, [], error);
  }
  throw errorOf(error);
}

/** The command that found them taken has waited until what took them was durable. */
async function findByKeys(
  { documents, signal, maxTimeMS }: Attempt,
  keys: string[],
): Promise<Map<string, Stored>> {
  const found = await documents
    .find(
      { idempotencyKey: { $in: keys } },
      {
        projection: { createdAt: 1, fingerprint: 1, idempotencyKey: 1 },
        readConcern: { level: 'majority' },
        maxTimeMS,
        signal,
      },
    )
    .toArray();
  return new Map(found.map((stored) => [String(stored.idempotencyKey), stored]));
}

function adopt(insert: Insert, { _id, createdAt, fingerprint }: Stored): Outcome {
  if (fingerprint !== insert.fingerprint) return new KeyReused();
  insert.id = _id;
  insert.createdAt = createdAt;
  return undefined;
}

/** When collections had their index, in ms as `performance.now()` tells them. */
const indexed = new WeakMap<object, number>();
const indexedForMs = 1000;

/**
 * Makes sure that a key is there once, by a unique index: sparse, so that documents without a key
 * aren't in it. Once a second, while posts have keys, as someone may have dropped the collection.
 */
export async function indexKeys({
  db,
  documents,
  retired,
  signal = retired,
}: Pick<Session, 'db' | 'documents'> & Partial<Session & Attempt>): Promise<void> {
  const begin = performance.now();
  if (begin - (indexed.get(documents) ?? Number.NEGATIVE_INFINITY) < indexedForMs) return;
  const index = {
    key: { idempotencyKey: 1 },
    name: 'idempotencyKey_1',
    unique: true,
    sparse: true,
  };
  // the driver's createIndex would take no signal
  await db.command({ createIndexes: COLLECTION, indexes: [index] }, signal ? { signal } : {});
  indexed.set(documents, begin);
}

function errorOf({ code, errmsg }: { code?: number; errmsg: string }): Error {
  return new (later().MongoServerError)({ message: errmsg, code });
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

/** A refusal in the server's words, which name the field, or in those of the BSON library. */
function refusalBy(error: unknown, batch: Insert[]): Refused | undefined {
  const { BSON, MongoServerError } = later();
  const isRefusal =
    error instanceof MongoServerError
      ? refusalCodes.has(error.code)
      : BSON.BSONError.isBSONError(error) && !batch.every(isEncodable); // else it is of the reply
  if (!isRefusal) return undefined;
  const { message } = error as Error;
  const name = quotedName(message);
  // some repeat the whole value
  const reason = message.length > 500 ? `${message.slice(0, 500)}…` : message;
  return new Refused(reason, name === undefined ? [] : [name], error);
}

function isEncodable({ document }: Insert): boolean {
  try {
    return later().BSON.serialize(document.value()).length > 0;
  } catch {
    return false;
  }
}
