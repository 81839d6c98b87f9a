import { STATUS_CODES } from 'node:http';

const statuses = {
  'malformed-request': 400,
  'malformed-json': 400,
  'incomplete-body': 400,
  'invalid-query': 400,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'unsupported-content-coding': 415,
  'expectation-failed': 417,
  'invalid-document': 422,
  'nesting-too-deep': 422,
  'headers-too-large': 431,
  internal: 500,
  'not-ready': 503,
  'database-unavailable': 503,
} as const;

export type ProblemType = keyof typeof statuses;

/** What zod calls an issue: what is wrong, and the names that lead to it. */
export interface Issue {
  path: PropertyKey[];
  message: string;
}

/**
 * An answer that tells the client what went wrong, as RFC 9457 wants it. Thrown by a handler, sent
 * by whoever called the handler.
 */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;

  constructor(
    readonly type: ProblemType,
    detail: string,
    readonly more: {
      headers?: Record<string, string>;
      issues?: Issue[];
      /** Of the document that it is about. */
      id?: string;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: more.cause });
    this.status = statuses[type];
  }

  toJSON() {
    return {
      type: `urn:problem-type:${this.type}`,
      title: STATUS_CODES[this.status],
      status: this.status,
      detail: this.message,
      issues: this.more.issues,
      id: this.more.id,
    };
  }
}
