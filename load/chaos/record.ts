import { createHash } from 'node:crypto';
import type { Ended, Target } from './client';

/** What an answer says of the document that was not acknowledged. */
export type Said = 'nothing was sent' | 'may be stored';

/** How one post of a document ended. Times are in ms, as `performance.now()` tells them. */
export interface Attempt {
  target: Target;
  startedAt: number;
  endedAt: number;
  /** Of a whole answer. */
  status?: number;
  /** Of the error of a connection. */
  code?: string;
  /** The problem's, without its prefix. */
  type?: string;
  said?: Said;
  /** Which the answer names. */
  id?: string;
  /** Whether the answer has what was posted; of a 201 alone. */
  same?: boolean;
}

/** One document and what became of its posts. */
export interface Entry {
  /** In the document, and in no other. */
  nonce: string;
  /** The Idempotency-Key, where it has one. */
  key?: string;
  /** Of the document's JSON: all that is kept of it. */
  digest: string;
  attempts: Attempt[];
}

/** A short fingerprint of a text. */
export function digestOf(text: string): string {
  return createHash('sha1').update(text).digest('base64');
}

/** @param digest of what was posted */
export function attemptOf(target: Target, ended: Ended, digest: string): Attempt {
  const { text, ...kept } = ended;
  const attempt: Attempt = { target, ...kept };
  if (ended.status === undefined) return attempt;
  const answer = parse(text);
  if (typeof answer.id === 'string') attempt.id = answer.id;
  if (ended.status === 201) {
    attempt.same = digestOf(JSON.stringify(answer.data) ?? '') === digest;
    return attempt;
  }
  if (typeof answer.type === 'string') attempt.type = answer.type.replace('urn:problem-type:', '');
  const said = saidBy(attempt.type, String(answer.detail));
  if (said) attempt.said = said;
  return attempt;
}

function saidBy(type: string | undefined, detail: string): Said | undefined {
  if (type === 'overloaded' || /^Nothing was (stored|sent)/.test(detail)) return 'nothing was sent';
  return /may (have been|be) stored/.test(detail) ? 'may be stored' : undefined;
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** An attempt's end in some words, such as `503 overloaded, nothing was sent`. */
export function outcomeOf({ status, code, type, said }: Attempt): string {
  const words = [status ?? code, type].filter(Boolean).join(' ');
  return said ? `${words}, ${said}` : words;
}
