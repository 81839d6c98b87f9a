// What the first answer does not need, as a file of its own in what runs. See later.ts.
export {
  BSON,
  MongoClient,
  MongoError,
  MongoInvalidArgumentError,
  MongoServerError,
} from 'mongodb';
export { default as rawBody } from 'raw-body';
