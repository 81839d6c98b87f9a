import type { IncomingMessage, ServerResponse } from 'node:http';
import { log } from '../runtime/log';
import { callerOf } from './caller';
import { requestId } from './request-id';
import { statusOf } from './semantic-conventions';
import { traceIds } from './trace-ids';

const probes = new Set(['/livez', '/readyz']);

/** The path of a request, without the query and, in the absolute form, without what stands before it. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.search(/[?#]/);
  const path = end < 0 ? url : url.slice(0, end);
  return path.startsWith('/') ? path : path.replace(/^[a-z][\w+.-]*:\/\/[^/]*/i, '') || '/';
}

/** Whether a path is that of a probe. Probes are not traced, and logged only if they fail. */
export function isProbe(path: string): boolean {
  return probes.has(path);
}

/** The header, unless it is malformed: clients can't write any text into the log. https://www.w3.org/TR/trace-context/#traceparent-header */
function validTraceparent(header: string | string[] | undefined): string | undefined {
  const pattern = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;
  return typeof header === 'string' && pattern.test(header) ? header : undefined;
}

/** Logs a request when it ends, without query, body and credentials. Probes only if they fail. */
export function logRequest(req: IncomingMessage, res: ServerResponse): void {
  const startedAt = performance.now();
  res.on('close', () => {
    const { method, headers } = req;
    const path = pathOf(req);
    const status = statusOf(res);
    if (status === 200 && isProbe(path)) return;
    log.info(
      {
        method,
        path,
        status,
        ms: Math.round((performance.now() - startedAt) * 1000) / 1000,
        requestId: requestId(req),
        caller: callerOf(req),
        traceparent: validTraceparent(headers.traceparent),
        ...traceIds(req),
        aborted: res.writableFinished ? undefined : true,
      },
      'request',
    );
  });
}
