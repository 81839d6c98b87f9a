// Built into a file of its own, which lazy-libraries.ts loads after the service listens.

export { createHash } from 'node:crypto';
export {
  BSON,
  MongoClient,
  MongoError,
  MongoInvalidArgumentError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
