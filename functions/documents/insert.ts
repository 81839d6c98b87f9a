import { COLLECTION, type Session, type Stored } from '../mongo/client';
import type { Attempt, Database } from '../mongo/database';
import { libraries } from '../mongo/lazy-libraries';
import { KeyReused, Refused } from '../runtime/errors';
import type { Written } from './group-commit';
import { dateOf, newId } from './id';
import type { PendingDocument } from './pending-document';
import { refusalOf } from './refusal';

/** Undefined if the document is stored, durably and once, or else why it is not. */
type Outcome = Error | undefined;

/** What is known of a batch while it is being inserted. */
interface Progress {
  outcomes: Map<PendingDocument, Outcome>;
  /** How many commands were sent. */
  commands: number;
}

/**
 * Inserts documents with one command, and repeats it until each of them is stored or refused, or the
 * deadline has passed. A refused document does not affect the others.
 *
 * @param waitingSince when the oldest request in the batch arrived, in ms on the clock of
 *   `performance.now()`
 * @returns with the outcome of each document: Refused, KeyReused, or Unavailable if it was not
 *   acknowledged (`sends` tells whether it may have been sent)
 */
export async function insertBatch(
  database: Database,
  batch: PendingDocument[],
  waitingSince: number,
): Promise<Written> {
  const progress: Progress = { outcomes: new Map(), commands: 0 };
  const { outcomes } = progress;
  let hasFailed = false;
  const remaining = () => batch.filter((pending) => !outcomes.has(pending));
  try {
    await database.run(
      'insert',
      (attempt) => insertRemaining(attempt, remaining(), progress),
      waitingSince,
    );
  } catch (error) {
    hasFailed = true;
    for (const pending of remaining()) outcomes.set(pending, error as Error);
  }
  return {
    outcomes: batch.map((pending) => outcomes.get(pending)),
    isTypical: !hasFailed && progress.commands === 1,
  };
}

/** Inserts the documents that have no outcome yet. @throws if another attempt is needed */
async function insertRemaining(
  attempt: Attempt,
  remaining: PendingDocument[],
  progress: Progress,
): Promise<void> {
  let indexError: unknown;
  let batch = remaining;
  if (remaining.some(({ key }) => key !== undefined)) {
    try {
      if (await ensureKeyIndex(attempt, attempt.signal)) progress.commands++;
    } catch (error) {
      indexError = error;
      batch = remaining.filter(({ key }) => key === undefined);
    }
  }
  if (batch.length > 0) await insertAll(attempt, batch, progress);
  if (indexError) throw indexError;
}

/** Inserts a batch. @throws if documents without an outcome are left, for another attempt */
async function insertAll(
  attempt: Attempt,
  batch: PendingDocument[],
  progress: Progress,
): Promise<void> {
  const { outcomes } = progress;
  let reply: Reply;
  progress.commands++;
  try {
    reply = await sendInsert(attempt, batch);
  } catch (error) {
    const refusal = refusalOf(error, batch);
    if (!refusal) throw error;
    if (batch.length === 1) {
      outcomes.set(batch[0] as PendingDocument, refusal);
      return;
    }
    // a document that can't be encoded, or that the server can't parse, fails the whole command:
    // halve the batch to find it
    const half = batch.length >> 1;
    await insertAll(attempt, batch.slice(0, half), progress);
    return insertAll(attempt, batch.slice(half), progress);
  }
  const { n, writeErrors = [], writeConcernError } = reply;
  if (writeConcernError) throw toServerError(writeConcernError);
  if (n + writeErrors.length !== batch.length) {
    throw toServerError({ errmsg: `MongoDB's reply covers ${n} of ${batch.length} documents` });
  }

  const failed = new Map(writeErrors.map((error) => [batch[error.index], error]));
  const isDuplicate = (pending: PendingDocument) => failed.get(pending)?.code === DUPLICATE_KEY;
  const keys = batch.filter(isDuplicate).flatMap(({ key }) => key ?? []);
  if (keys.length > 0) progress.commands++;
  const earlier = keys.length > 0 ? await findByKeys(attempt, keys) : new Map<string, Stored>();
  let retryReason: unknown;
  for (const pending of batch) {
    const error = failed.get(pending);
    try {
      outcomes.set(pending, error && outcomeOf(pending, error, earlier.get(pending.key ?? '')));
    } catch (reason) {
      retryReason = reason;
    }
  }
  if (retryReason) throw retryReason;
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

/** Sends the bare command: the driver's insertMany wraps errors and hides a lost connection. */
async function sendInsert(
  { db, signal, maxTimeMS }: Attempt,
  batch: PendingDocument[],
): Promise<Reply> {
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
    const { MongoError } = libraries();
    if (error instanceof MongoError && error.hasErrorLabel('NoWritesPerformed')) {
      for (const pending of batch) pending.sends--;
    }
    throw error;
  }
}

const DUPLICATE_KEY = 11_000;

/**
 * @param earlier the stored document that has the same Idempotency-Key, if any
 * @throws if another attempt is needed
 */
function outcomeOf(
  pending: PendingDocument,
  error: WriteError,
  earlier: Stored | undefined,
): Outcome {
  const { code, errmsg, keyPattern } = error;
  const refusal = refusalOf(toServerError(error), [pending]);
  if (refusal) return refusal;
  if (code !== DUPLICATE_KEY) throw toServerError(error);
  if (earlier) return adopt(pending, earlier);
  // FerretDB does not say which index it was
  const isDuplicateId = keyPattern ? '_id' in keyPattern : pending.key === undefined;
  if (isDuplicateId && pending.sends > 1) return undefined; // stored by an earlier attempt
  if (isDuplicateId) {
    // it was never sent before, so the id belongs to another document
    pending.id = newId();
    pending.createdAt = dateOf(pending.id);
  } else if (pending.key === undefined) {
    return new Refused(errmsg, [], error);
  }
  throw toServerError(error);
}

/** The insert that failed has waited until the documents found here were durable. */
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

/** Takes the id and date of the document that was stored under the same key, if it is the same. */
function adopt(pending: PendingDocument, { _id, createdAt, fingerprint }: Stored): Outcome {
  if (fingerprint !== pending.fingerprint) return new KeyReused();
  pending.id = _id;
  pending.createdAt = createdAt;
  return undefined;
}

/** When the index of a collection was last ensured, in ms on the clock of `performance.now()`. */
const indexedAt = new WeakMap<object, number>();
const indexIntervalMs = 1000;

/** Prepares a new session: ensures the unique index on Idempotency-Keys. */
export async function indexKeys(session: Session): Promise<void> {
  await ensureKeyIndex(session, session.retired);
}

/**
 * Ensures the unique index on Idempotency-Keys. It is sparse, so that documents without a key are not
 * in it. Done at most once a second, and repeated because the collection may have been dropped.
 *
 * @returns whether it took a command
 */
async function ensureKeyIndex(
  { db, documents }: Pick<Session, 'db' | 'documents'>,
  signal: AbortSignal,
): Promise<boolean> {
  const now = performance.now();
  if (now - (indexedAt.get(documents) ?? Number.NEGATIVE_INFINITY) < indexIntervalMs) return false;
  const index = {
    key: { idempotencyKey: 1 },
    name: 'idempotencyKey_1',
    unique: true,
    sparse: true,
  };
  // the driver's createIndex takes no signal
  await db.command({ createIndexes: COLLECTION, indexes: [index] }, { signal });
  indexedAt.set(documents, now);
  return true;
}

function toServerError({ code, errmsg }: { code?: number; errmsg: string }): Error {
  return new (libraries().MongoServerError)({ message: errmsg, code });
}
