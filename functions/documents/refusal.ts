import { libraries } from '../mongo/lazy-libraries';
import { Refused } from '../runtime/errors';
import type { PendingDocument } from './pending-document';
import { quotedName } from './quoted-name';

/** Error codes with which a server refuses a document because of its content. */
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

/**
 * The refusal that an error stands for, in the words of the server or the BSON library.
 *
 * @returns undefined if the error does not refuse a document of the batch
 */
export function refusalOf(error: unknown, batch: PendingDocument[]): Refused | undefined {
  const { BSON, MongoServerError } = libraries();
  const isRefusal =
    error instanceof MongoServerError
      ? refusalCodes.has(error.code)
      : // if all documents can be encoded, the reply could not be decoded
        BSON.BSONError.isBSONError(error) && !batch.every(isEncodable);
  if (!isRefusal) return undefined;
  const { message } = error as Error;
  const name = quotedName(message);
  // some messages repeat the whole value
  const reason = message.length > 500 ? `${message.slice(0, 500)}…` : message;
  return new Refused(reason, name === undefined ? [] : [name], error);
}

function isEncodable({ document }: PendingDocument): boolean {
  try {
    return libraries().BSON.serialize(document.value()).length > 0;
  } catch {
    return false;
  }
}
