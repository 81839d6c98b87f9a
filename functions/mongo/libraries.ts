// What the first answer does not need, as a file of its own in what runs. See later.ts.

export { createHash } from 'node:crypto';
export {
  BSON,
  MongoClient,
  MongoError,
  MongoInvalidArgumentError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
