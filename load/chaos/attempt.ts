import { createHash } from 'node:crypto';
import type { RequestResult, Target } from './http-client';

/** What an error response claims about its document. */
export type Claim = 'nothing was sent' | 'may be stored';

/** One request and its outcome. Times are those of `performance.now()`. */
export interface Attempt {
  target: Target;
  startedAt: number;
  endedAt: number;
  /** Of a complete response. */
  status?: number;
  /** Of a connection error. */
  code?: string;
  /** The problem type, without `urn:problem-type:`. */
  type?: string;
  claim?: Claim;
  /** The id in the response. */
  id?: string;
  /** Whether a 201 has the content that was posted. */
  hasPostedContent?: boolean;
}

/** One document, and all attempts to post it. */
export interface LedgerEntry {
  /** A value in the document that is in no other. */
  nonce: string;
  /** The Idempotency-Key, if it has one. */
  key?: string;
  /** The digest of the document's JSON, which itself is not kept. */
  digest: string;
  attempts: Attempt[];
}

/** A short digest of a text. */
export function digestOf(text: string): string {
  return createHash('sha1').update(text).digest('base64');
}

/** @param digest of the document that was posted */
export function attemptOf(target: Target, result: RequestResult, digest: string): Attempt {
  const { text, ...rest } = result;
  const attempt: Attempt = { target, ...rest };
  if (result.status === undefined) return attempt;
  const body = parseObject(text);
  if (typeof body.id === 'string') attempt.id = body.id;
  if (result.status === 201) {
    attempt.hasPostedContent = digestOf(JSON.stringify(body.data) ?? '') === digest;
    return attempt;
  }
  if (typeof body.type === 'string') attempt.type = body.type.replace('urn:problem-type:', '');
  const claim = claimIn(attempt.type, String(body.detail));
  if (claim) attempt.claim = claim;
  return attempt;
}

function claimIn(type: string | undefined, detail: string): Claim | undefined {
  if (type === 'overloaded' || /^Nothing was (stored|sent)/.test(detail)) return 'nothing was sent';
  return /may (have been|be) stored/.test(detail) ? 'may be stored' : undefined;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** The outcome of an attempt in words, such as `503 overloaded, nothing was sent`. */
export function outcomeOf({ status, code, type, claim }: Attempt): string {
  const words = [status ?? code, type].filter(Boolean).join(' ');
  return claim ? `${words}, ${claim}` : words;
}
