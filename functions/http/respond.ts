import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Transfer } from '../runtime/memory';
import type { Problem } from './problem';
import { requestId } from './request-id';

/** Text or bytes, or parts of it in their order. */
export type Body = string | Buffer | (string | Buffer)[];

/** Answers with a value as JSON. To a HEAD request Node sends the same headers and no body. */
export function sendJson(res: ServerResponse, status: number, value: unknown): void {
  sendBody(res, status, 'application/json', JSON.stringify(value));
}

export function sendProblem(res: ServerResponse, problem: Problem): void {
  const { status, more } = problem;
  sendBody(res, status, 'application/problem+json', JSON.stringify(problem), more.headers);
}

/** What is sent at once, in bytes. More goes in pieces of this size, as the client takes them. */
const pieceBytes = 64 * 1024;

/** @param transfer begins when a body has to be sent in pieces */
export function sendBody(
  res: ServerResponse,
  status: number,
  type: string,
  body: Body,
  headers?: Record<string, string>,
  transfer?: () => Transfer,
): void {
  const parts = Array.isArray(body) ? body : [body];
  let length = 0;
  for (const part of parts) length += Buffer.byteLength(part);
  const all = commonHeaders(res.req);
  all.push('Content-Type', type, 'Content-Length', String(length));
  for (const name in headers) all.push(name, headers[name] as string);
  res.writeHead(status, all);
  if (length > pieceBytes) {
    void sendPieces(res, parts, transfer?.());
    return;
  }
  const last = parts.length - 1;
  for (let i = 0; i < last; i++) res.write(parts[i]);
  res.end(parts[last]);
}

async function sendPieces(
  res: ServerResponse,
  parts: (string | Buffer)[],
  transfer: Transfer | undefined,
): Promise<void> {
  const gone = new Promise<void>((resolve) => whenClosed(res, resolve));
  for (const part of parts) {
    const bytes = Buffer.from(part);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const isTaken = res.write(bytes.subarray(at, at + pieceBytes));
      if (!isTaken) await Promise.race([drained(res), gone]);
      if (res.closed || res.destroyed) return;
      transfer?.moved(pieceBytes);
    }
  }
  transfer?.end();
  res.end();
}

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => res.once('drain', resolve));
}

/** What every answer has, as names and values in turn, of which Node makes a head fastest. */
export function commonHeaders(req: Pick<IncomingMessage, 'headers'>): string[] {
  return [
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'X-Request-Id',
    requestId(req),
  ];
}

/** Calls back when a response was taken, or its client is gone. */
export function whenClosed(res: ServerResponse, done: () => void): void {
  if (res.closed || res.destroyed) done();
  else res.on('close', done);
}
