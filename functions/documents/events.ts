import { event } from '../runtime/event';

/** A batch of documents is written. The message is their number. */
export const batchSent = event<number>('documents.batch-sent');

/** A query is sent. The message is how many requests share it. */
export const readSent = event<number>('documents.read-sent');
