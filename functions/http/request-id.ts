import type { IncomingMessage } from 'node:http';

const id = Symbol('request id');

/**
 * Identifies this process: in containers, all have the same pid. Not by `crypto`, which would take a
 * tenth of the time to start.
 */
const processId = Math.random().toString(16).slice(2, 14).padEnd(12, '0');

let count = 0;

/**
 * The id of a request in logs and responses: its X-Request-Id header if that has 1 to 200 visible
 * ASCII characters, otherwise an id that no other process generates.
 */
export function requestId(req: Pick<IncomingMessage, 'headers'> & { [id]?: string }): string {
  req[id] ??= validId(req.headers['x-request-id']) ?? `${processId}-${++count}`;
  return req[id];
}

function validId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[!-~]{1,200}$/.test(header) ? header : undefined;
}
