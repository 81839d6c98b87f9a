import type { ServerResponse } from 'node:http';
import { Problem } from './problem';

/**
 * Answers with JSON: a buffer has it already, anything else is turned into it. To a HEAD request
 * Node sends the same headers and no body.
 */
export function sendJson(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers?: Record<string, string>,
): void {
  const body = Buffer.isBuffer(value) ? value : JSON.stringify(value);
  send(res, status, 'application/json', body, headers);
}

/** Answers with a problem: the error itself if it is one, otherwise a 500 without internals. */
export function sendProblem(res: ServerResponse, error: unknown): void {
  const problem =
    error instanceof Problem
      ? error
      : new Problem('internal', 'The service failed on this request; its log tells why.');
  send(
    res,
    problem.status,
    'application/problem+json',
    JSON.stringify(problem),
    problem.more.headers,
  );
}

function send(
  res: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  headers?: Record<string, string>,
): void {
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  res.end(body);
}
