import type { MongoClient } from 'mongodb';
import { event } from '../runtime/event';

/** One attempt at an operation has ended. */
export interface EndedAttempt {
  /** The kind of the operation, as given to `Database.run`. */
  name: string;
  durationMs: number;
  /** Why it failed, if it did. */
  error?: unknown;
}

export const attemptEnded = event<EndedAttempt>('mongo.attempt-ended');

/** An operation begins. It is done in the context bound to this, up to `operationEnded`. */
export const operationStarted = event<{ name: string }>('mongo.operation-started');

/** An operation has ended. The message is why it failed, if it did. */
export const operationEnded = event<unknown>('mongo.operation-ended');

/** An operation is tried again, after a pause. The message is its kind. */
export const attemptRepeated = event<string>('mongo.attempt-repeated');

/** A client was created. It has not connected yet. */
export const clientCreated = event<MongoClient>('mongo.client-created');

/** A client has taken the place of another, which did not reply any longer. */
export const clientReplaced = event<undefined>('mongo.client-replaced');
