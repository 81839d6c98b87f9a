import { Problem } from './http/problem';
import { noParameters } from './http/query';
import { sendJson } from './http/respond';
import { operation, type Resource } from './http/router';
import type { Database } from './mongo/database';
import type { Lifecycle } from './runtime/lifecycle';

const notReady = (detail: string) =>
  new Problem('not-ready', detail, { headers: { 'Retry-After': '1' } });

/**
 * The probes. A replica becomes ready when it has reached MongoDB, and stays ready until it drains:
 * in an outage that all replicas share, quick 503s serve clients better than no replica at all. It
 * is alive unless a restart would help.
 */
export function healthResources(
  lifecycle: Lifecycle,
  database: () => Pick<Database, 'state' | 'isMonitoring'>,
): Record<string, Resource> {
  return {
    '/livez': {
      GET: operation(
        noParameters,
        ({ res }) => {
          if (!database().isMonitoring()) {
            throw new Problem(
              'not-alive',
              'The MongoDB driver has stopped monitoring its server, and a new client did not help.',
            );
          }
          sendJson(res, 200, { status: 'alive' });
        },
        (z) => ({
          summary: 'Whether the process works: any answer but 200 means that it needs a restart',
          responses: {
            200: {
              description: 'It is alive',
              schema: z.object({ status: z.literal('alive') }),
              example: { status: 'alive' },
            },
          },
          problems: ['not-alive', 'internal'],
        }),
      ),
    },
    '/readyz': {
      GET: operation(
        noParameters,
        ({ res }) => {
          if (lifecycle.draining) throw notReady('The service is shutting down.');
          const state = database().state();
          if (state === 'connecting') throw notReady('MongoDB has not been reached yet.');
          sendJson(res, 200, { status: 'ready', database: state });
        },
        (z) => ({
          summary:
            'Whether the replica is ready: from its first contact with MongoDB until shutdown',
          responses: {
            200: {
              description: 'It is ready',
              schema: z.object({
                status: z.literal('ready'),
                database: z
                  .enum(['reachable', 'unreachable'])
                  .describe('Whether MongoDB answers now'),
              }),
              example: { status: 'ready', database: 'reachable' },
            },
          },
          problems: ['not-ready', 'internal'],
        }),
      ),
    },
  };
}
