import type { Reach } from './database';
import { Problem } from './problem';
import { noParameters } from './query';
import { sendJson } from './respond';
import { operation, type Resource } from './router';

const notReady = (detail: string) =>
  new Problem('not-ready', detail, { headers: { 'Retry-After': '1' } });

/**
 * Probes. A replica becomes ready when it has reached the database, and stays ready until it
 * drains: in an outage that all replicas share, one that answers 503 quickly serves clients better
 * than none at all.
 */
export function healthResources(service: {
  draining(): boolean;
  reach(): Reach;
}): Record<string, Resource> {
  return {
    '/livez': {
      GET: operation(noParameters, ({ res }) => sendJson(res, 200, { status: 'alive' })),
    },
    '/readyz': {
      GET: operation(noParameters, ({ res }) => {
        if (service.draining()) throw notReady('The service is shutting down.');
        const database = service.reach();
        if (database === 'connecting') throw notReady('The database was not reached yet.');
        sendJson(res, 200, { status: 'ready', database });
      }),
    },
  };
}
