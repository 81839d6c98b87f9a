import type { IncomingMessage } from 'node:http';

const id = Symbol('request id');

/** Tells processes apart: in containers they all have the same pid. */
const process = crypto.randomUUID().slice(24);

let count = 0;

/**
 * The id by which a request is found in logs and by its client: that of its X-Request-Id header if
 * that has 1 to 200 visible ASCII characters, otherwise one that no other process gives.
 */
export function requestId(req: Pick<IncomingMessage, 'headers'> & { [id]?: string }): string {
  req[id] ??= given(req.headers['x-request-id']) ?? `${process}-${++count}`;
  return req[id];
}

function given(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[!-~]{1,200}$/.test(header) ? header : undefined;
}
