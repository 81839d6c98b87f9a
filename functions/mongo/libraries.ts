// The build makes a file of its own of this, which lazy-libraries.ts loads after the service listens.

export { createHash } from 'node:crypto';
export {
  BSON,
  MongoClient,
  MongoError,
  MongoInvalidArgumentError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
