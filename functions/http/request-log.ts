import type { IncomingMessage, ServerResponse } from 'node:http';
import { log } from '../runtime/log';
import { requestId } from './request-id';

const probes = new Set<string | undefined>(['/livez', '/readyz']);

/** Logs a request when it ends, without query, body and credentials. Probes only if they fail. */
export function logRequest(req: IncomingMessage, res: ServerResponse): void {
  const startedAt = performance.now();
  res.on('close', () => {
    const { method, url = '', headers } = req;
    const path = url.split('?', 1)[0];
    const status = res.headersSent ? res.statusCode : undefined;
    if (status === 200 && probes.has(path)) return;
    log.info(
      {
        method,
        path,
        status,
        ms: Math.round((performance.now() - startedAt) * 1000) / 1000,
        requestId: requestId(req),
        traceparent: headers.traceparent,
        aborted: res.writableFinished ? undefined : true,
      },
      'request',
    );
  });
}
