import { name, version } from '../package.json';
import type { Config } from './config';
import type { Context, FunctionResources } from './context';
import { dataResources } from './data';
import { healthResources } from './health';
import { limitsCreated } from './http/events';
import { noParameters } from './http/query';
import { operation, type RequestHandler, type Resource, router, routesOf } from './http/router';
import type { Database } from './mongo/database';
import { openapiResources } from './openapi-resource';
import { sendPageOrJson } from './page/page';
import type { Lifecycle } from './runtime/lifecycle';
import { createMemory } from './runtime/memory';
import { once } from './runtime/once';
import { formatTime, timeResources } from './time';

/** The functions, each below the path of its name. A new one is registered here. */
const functions: Record<string, FunctionResources> = {
  time: timeResources,
  data: dataResources,
};

export const functionNames = Object.keys(functions);

/** Large bodies that are handled at a time: four of 1 MiB, or a thousand of 4 KiB. */
const LARGE_BODIES_BYTES = 4 * 1024 * 1024;

/** The git revision that the image was built from. */
const revision = process.env.REVISION || 'unknown';

/** What the application is made of. */
export interface Parts {
  config: Config;
  lifecycle: Lifecycle;
  /** Asked for on the first request that needs it: loading the driver takes longer than listening. */
  database(): Database;
}

/** All functions, each below a path of its own, the list of routes, the OpenAPI document and the probes. */
export function createApp(parts: Parts): RequestHandler {
  return router(appResources(parts));
}

export function appResources(parts: Parts): Record<string, Resource> {
  const context = contextOf(() => parts);
  const resources: Record<string, Resource> = {};
  for (const [name, resourcesAt] of Object.entries(functions)) {
    Object.assign(resources, resourcesAt(`/${name}`, context));
  }
  Object.assign(resources, openapiResources, healthResources(parts.lifecycle, parts.database));

  const routes = routesOf(resources);
  const index: Resource = {
    GET: operation(
      noParameters,
      ({ req, res }) => {
        const { time } = formatTime(Date.now());
        const openapi = '/openapi.json';
        const headers = { Link: `<${openapi}>; rel="service-desc"` }; // RFC 8631
        sendPageOrJson(req, res, { name, version, revision, time, openapi, routes }, headers);
      },
      (z) => ({
        summary: 'The service, and what it can do',
        responses: {
          200: {
            description: 'The service',
            headers: {
              Link: 'The OpenAPI document, as `service-desc`',
              Vary: '`Accept`: a browser gets a page',
            },
            schema: z.object({
              name: z.string(),
              version: z.string(),
              revision: z.string().describe('The git revision that the image was built from'),
              time: z.iso.datetime(),
              openapi: z.string().describe('The path of the OpenAPI document'),
              routes: z.array(z.string()),
            }),
            example: {
              name,
              version,
              revision: 'unknown',
              time: '2026-11-25T23:38:10.717Z',
              openapi: '/openapi.json',
              routes: ['GET /time'],
            },
          },
        },
      }),
    ),
  };
  return { '/': index, ...resources };
}

/**
 * One function alone, at the root.
 *
 * @param parts asked for on the first request that needs them
 */
export function createFunction(name: string, parts: () => Parts): RequestHandler {
  const resourcesAt = functions[name];
  if (!resourcesAt) throw new Error(`there is no function ${name}`);
  return router(resourcesAt('', contextOf(parts)));
}

function contextOf(parts: () => Parts): () => Context {
  return once(() => {
    const { config, database } = parts();
    const { bodyLimitBytes, memoryBudgetBytes, mongo } = config;
    const context = {
      database: database(),
      memory: createMemory(memoryBudgetBytes),
      largeBodies: createMemory(LARGE_BODIES_BYTES, 'turn'),
      bodyLimitBytes,
      timeoutMs: mongo.timeoutMs,
    };
    limitsCreated.publish(context);
    return context;
  });
}
