import { event } from '../runtime/event';

/** Requests that share a command. */
export interface Sharing {
  /** Identifies what they share. */
  group: object;
  /** How many they are. */
  size: number;
}

/** A request joins those that will share a command. The message is their `group`. */
export const sharingJoined = event<object>('documents.sharing-joined');

/** A batch of documents is written, in the context bound to this. */
export const batchSent = event<Sharing>('documents.batch-sent');

/** A query is sent, in the context bound to this. */
export const readSent = event<Sharing>('documents.read-sent');
