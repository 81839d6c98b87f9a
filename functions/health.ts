import { Problem } from './http/problem';
import { noParameters } from './http/query';
import { sendJson } from './http/respond';
import { operation, type Resource } from './http/router';
import type { Database } from './mongo/database';
import type { Lifecycle } from './runtime/lifecycle';

const notReady = (detail: string) =>
  new Problem('not-ready', detail, { headers: { 'Retry-After': '1' } });

/**
 * Probes. A replica becomes ready when it has reached MongoDB, and stays ready until it drains: in an
 * outage that all replicas share, one that answers 503 quickly serves clients better than none at
 * all. It is alive while a restart would not help.
 */
export function healthResources(
  lifecycle: Lifecycle,
  database: () => Pick<Database, 'reach' | 'watching'>,
): Record<string, Resource> {
  return {
    '/livez': {
      GET: operation(noParameters, ({ res }) => {
        if (!database().watching()) {
          throw new Problem(
            'not-alive',
            'The MongoDB driver has stopped watching its server, and a new client did not help.',
          );
        }
        sendJson(res, 200, { status: 'alive' });
      }),
    },
    '/readyz': {
      GET: operation(noParameters, ({ res }) => {
        if (lifecycle.draining) throw notReady('The service is shutting down.');
        const reach = database().reach();
        if (reach === 'connecting') throw notReady('MongoDB was not reached yet.');
        sendJson(res, 200, { status: 'ready', database: reach });
      }),
    },
  };
}
