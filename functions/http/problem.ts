import { STATUS_CODES } from 'node:http';
import { KeyReused, Overloaded, Refused, Unavailable } from '../runtime/errors';

/** The types that the service itself uses, and their statuses. A function can use others of its own. */
export const statuses = {
  'malformed-request': 400,
  'malformed-json': 400,
  'incomplete-body': 400,
  'invalid-query': 400,
  'invalid-idempotency-key': 400,
  'token-required': 401,
  'invalid-token': 401,
  'insufficient-scope': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'unsupported-content-coding': 415,
  'expectation-failed': 417,
  'invalid-document': 422,
  'nesting-too-deep': 422,
  'idempotency-key-reused': 422,
  'headers-too-large': 431,
  internal: 500,
  'unsupported-transfer-coding': 501,
  'not-alive': 503,
  'not-ready': 503,
  'authentication-unavailable': 503,
  overloaded: 503,
  'database-unavailable': 503,
} as const;

export type ProblemType = keyof typeof statuses;

/** What is wrong with one field, and the path to it. Zod's issues have this form. */
export interface Issue {
  path: PropertyKey[];
  message: string;
}

export interface ProblemOptions {
  headers?: Record<string, string> | undefined;
  issues?: Issue[];
  /** The id of the document that it is about. */
  id?: string;
  cause?: unknown;
}

/**
 * An error response in the form of RFC 9457. Handlers throw it, the router sends it.
 *
 * A function adds a type where it throws it: a new name, with its `status` among the options.
 */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;

  constructor(type: ProblemType, detail: string, more?: ProblemOptions);
  constructor(type: string, detail: string, more: ProblemOptions & { status: number });
  constructor(
    readonly type: string,
    detail: string,
    readonly more: ProblemOptions & { status?: number } = {},
  ) {
    super(detail, { cause: more.cause });
    this.status = more.status ?? statuses[type as ProblemType];
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

/** What is known of the document that a failed request posted. */
export interface Write {
  id: string;
  /** Whether MongoDB may have stored it. */
  sent: boolean;
  /** Whether the request had an Idempotency-Key. */
  keyed: boolean;
}

/**
 * Turns an error into a response: the one place where errors become HTTP.
 *
 * @param write for a POST: a 5xx then has the id and says whether the document may be stored. It
 *   suggests repeating the request only where that can't store the document twice.
 */
export function toProblem(error: unknown, write?: Write): Problem {
  const problem = problemOf(error);
  if (!write || problem.status < 500) return problem;
  const { id, sent, keyed } = write;
  const { status } = problem;
  const { headers, cause } = problem.more;
  if (!sent) {
    return new Problem(problem.type, `Nothing was stored. ${problem.message}`, {
      status,
      headers,
      cause,
      id,
    });
  }
  const detail = keyed
    ? 'The document may be stored. Send the same request again with the same Idempotency-Key: it is' +
      ' stored once.'
    : 'The document may be stored, under the id given here. Look for it before you post it again; with' +
      ' an Idempotency-Key you could repeat the request safely.';
  return new Problem(problem.type, detail, { status, ...(keyed && { headers }), cause, id });
}

const retrySoon = { 'Retry-After': '1' };

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Unavailable) {
    const { cause } = error;
    return new Problem('database-unavailable', 'MongoDB is unreachable or fails. Try again.', {
      headers: retrySoon,
      cause,
    });
  }
  if (error instanceof Overloaded) {
    return new Problem(
      'overloaded',
      'The service gets more requests than it can serve. Try again.',
      {
        headers: retrySoon,
        cause: error,
      },
    );
  }
  if (error instanceof Refused) {
    const { message, path, cause } = error;
    return new Problem('invalid-document', `The database refuses this: ${message}.`, {
      issues: [{ path, message }],
      cause,
    });
  }
  if (error instanceof KeyReused) {
    return new Problem(
      'idempotency-key-reused',
      'This Idempotency-Key was sent with another document. Use a new key for each document.',
    );
  }
  return new Problem('internal', 'The service failed to handle this request. Its log says why.', {
    cause: error,
  });
}
