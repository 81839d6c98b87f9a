import type { Stored } from '../mongo/client';
import { libraries } from '../mongo/lazy-libraries';
import type { Document } from './document';
import { dateOf, newId } from './id';

/** A document on its way into the database. */
export interface PendingDocument {
  /** Chosen before the write, so that a write whose acknowledgement was lost can be repeated. */
  id: string;
  createdAt: Date;
  document: Document;
  /** The Idempotency-Key of the request, if it had one. */
  key?: string | undefined;
  /** SHA-256 of the document, if there is a key. */
  fingerprint?: string | undefined;
  /** How many times MongoDB may have received it. */
  sends: number;
  /** Called by the driver when it encodes the document into a command, which it then sends. */
  toBSON(): Stored;
}

/**
 * Gives a document an id and a date and, if it has a key, a fingerprint.
 *
 * @param key the Idempotency-Key of the request, if it had one
 */
export function toPendingDocument(document: Document, key: string | undefined): PendingDocument {
  const id = newId();
  return {
    id,
    createdAt: dateOf(id),
    document,
    key,
    fingerprint: key === undefined ? undefined : fingerprintOf(document),
    sends: 0,
    toBSON() {
      this.sends++;
      const stored: Stored = {
        _id: this.id,
        createdAt: this.createdAt,
        data: this.document.value(),
      };
      if (this.key !== undefined) {
        stored.idempotencyKey = this.key;
        stored.fingerprint = this.fingerprint as string;
      }
      return stored;
    },
  };
}

/** Of the JSON as stored: white space and the spelling of numbers in the request do not count. */
function fingerprintOf({ json }: Document): string {
  return libraries().createHash('sha256').update(json).digest('base64');
}
