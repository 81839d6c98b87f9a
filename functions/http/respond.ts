import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Transfer } from '../runtime/memory';
import { problemSent } from './events';
import type { Problem } from './problem';
import { requestId } from './request-id';
import { servedByHeader } from './served-by';

/** Text or bytes, or several of them in order. */
export type Body = string | Buffer | (string | Buffer)[];

/** Sends a value as JSON. To a HEAD request, Node sends the same headers without the body. */
export function sendJson(res: ServerResponse, status: number, value: unknown): void {
  sendBody(res, status, 'application/json', JSON.stringify(value));
}

/** Sends a problem as JSON (RFC 9457), with the headers that it has. */
export function sendProblem(res: ServerResponse, problem: Problem): void {
  problemSent.publish({ problem, res });
  const { status, more } = problem;
  sendBody(res, status, 'application/problem+json', JSON.stringify(problem), more.headers);
}

/** Bodies over this many bytes are sent in chunks of this size, as the client takes them. */
const chunkBytes = 64 * 1024;

/** @param trackTransfer is called if the body is sent in chunks */
export function sendBody(
  res: ServerResponse,
  status: number,
  type: string,
  body: Body,
  headers?: Record<string, string>,
  trackTransfer?: () => Transfer,
): void {
  const parts = Array.isArray(body) ? body : [body];
  let length = 0;
  for (const part of parts) length += Buffer.byteLength(part);
  const allHeaders = commonHeaders(res.req);
  allHeaders.push('Content-Type', type, 'Content-Length', String(length));
  for (const name in headers) allHeaders.push(name, headers[name] as string);
  res.writeHead(status, allHeaders);
  if (length > chunkBytes) {
    void sendChunks(res, parts, trackTransfer?.());
    return;
  }
  const last = parts.length - 1;
  for (let i = 0; i < last; i++) res.write(parts[i]);
  res.end(parts[last]);
}

async function sendChunks(
  res: ServerResponse,
  parts: (string | Buffer)[],
  transfer: Transfer | undefined,
): Promise<void> {
  const closed = new Promise<void>((resolve) => whenClosed(res, resolve));
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part; // not copied: others may share it
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const isAccepted = res.write(bytes.subarray(at, at + chunkBytes));
      if (!isAccepted) await Promise.race([drained(res), closed]);
      if (res.closed || res.destroyed) return;
      transfer?.moved(chunkBytes);
    }
  }
  transfer?.end();
  res.end();
}

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => res.once('drain', resolve));
}

const servedBy = servedByHeader(process.env);

/** The headers of every response, as alternating names and values, the fastest form for Node. */
export function commonHeaders(req: Pick<IncomingMessage, 'headers'>): string[] {
  return [
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'X-Request-Id',
    requestId(req),
    ...servedBy,
  ];
}

/** Calls back when a response has been sent, or its client is gone. */
export function whenClosed(res: ServerResponse, callback: () => void): void {
  if (res.closed || res.destroyed) callback();
  else res.on('close', callback);
}
