import type { Db } from 'mongodb';
import { COLLECTION, type Database, isOutage, type Stored } from './database';
import { later } from './later';
import { Problem } from './problem';
import { quotedName } from './quoted-name';

type Outcome = Error | undefined;

/**
 * Inserts documents with one command. When this returns, those without an error are acknowledged as
 * durable. One that is refused takes none of the others with it.
 *
 * @param since when the first of them came, in ms as `performance.now()` tells them
 * @param again whether some may be stored already, and are then as good as inserted
 * @returns for each, in their order, nothing or why it was not inserted: a Problem, 422, if that is
 *   because of what is in it
 * @throws {Problem} 503 when the database doesn't answer; it may have stored any of them
 */
export async function insertBatch(
  database: Database,
  batch: Stored[],
  since: number,
  again = false,
): Promise<Outcome[]> {
  try {
    return await database.run(({ db, attempt }) => insert(db, batch, again || attempt > 1), since);
  } catch (error) {
    const reason = refusal(error) ?? error;
    const isOfOne = reason !== error || !(error instanceof later().MongoServerError);
    if (error instanceof Problem || batch.length === 1 || !isOfOne) throw reason;
    // one that the driver can't encode, or the server can't read, fails all: each alone tells which
    const alone = batch.map((stored) =>
      insertBatch(database, [stored], since, true).then(
        ([outcome]) => outcome,
        (reason: Error) => reason,
      ),
    );
    return Promise.all(alone);
  }
}

/** https://www.mongodb.com/docs/manual/reference/command/insert/#output */
interface Reply {
  n: number;
  writeErrors?: { index: number; code: number; errmsg: string; keyPattern?: object }[];
  writeConcernError?: { code: number; errmsg: string };
}

/** The command itself: the driver's insertMany wraps what it fails of, and hides a lost connection. */
async function insert(db: Db, batch: Stored[], again: boolean): Promise<Outcome[]> {
  const {
    n,
    writeErrors = [],
    writeConcernError,
  } = (await db.command({
    insert: COLLECTION,
    documents: batch,
    ordered: false,
    writeConcern: { w: 'majority', j: true },
  })) as unknown as Reply;
  if (writeConcernError) throw errorOf(writeConcernError);
  if (n + writeErrors.length !== batch.length) {
    throw new Error(`the database answered for ${n} of ${batch.length} documents`);
  }
  const outcomes: Outcome[] = batch.map(() => undefined);
  for (const { index, code, errmsg, keyPattern = { _id: 1 } } of writeErrors) {
    if (again && code === DUPLICATE_KEY && '_id' in keyPattern) continue;
    const error = errorOf({ code, errmsg });
    if (isOutage(error)) throw error;
    outcomes[index] = refusal(error) ?? error;
  }
  return outcomes;
}

const DUPLICATE_KEY = 11_000;

function errorOf({ code, errmsg }: { code: number; errmsg: string }): Error {
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

/** A 422 in the server's words, which name the field, if that is why the server refused. */
function refusal(error: unknown): Problem | undefined {
  const { MongoServerError } = later();
  if (!(error instanceof MongoServerError) || !refusalCodes.has(error.code)) return undefined;
  const { message } = error;
  const name = quotedName(message);
  return new Problem('invalid-document', `The database refuses this: ${message}.`, {
    issues: [{ path: name === undefined ? [] : [name], message }],
    cause: error,
  });
}
