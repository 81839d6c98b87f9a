import { name, version } from '../package.json';
import { createAuthorize } from './auth/authorize';
import { scopeOf } from './auth/scopes';
import type { Access, Config } from './config';
import type { Context, FunctionResources } from './context';
import { dataResources } from './data';
import { healthResources } from './health';
import { withCors } from './http/cors';
import { limitsCreated } from './http/events';
import { noParameters } from './http/query';
import { operation, type RequestHandler, type Resource, router, routesOf } from './http/router';
import type { Database } from './mongo/database';
import { openapiResources } from './openapi-resource';
import { sendPageOrJson } from './page/page';
import type { Lifecycle } from './runtime/lifecycle';
import { log } from './runtime/log';
import { createMemory } from './runtime/memory';
import { once } from './runtime/once';
import { timeResources } from './time';

/** The functions, each below the path of its name. A new one is registered here. */
const functions: Record<string, FunctionResources> = {
  time: timeResources,
  data: dataResources,
};

/** The names of the functions, in the order of the table. */
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
  return serveResources(appResources(parts), parts.config, '; GET / lists the routes');
}

/** What `createApp` serves, by path. `npm run openapi` describes it without a running service. */
export function appResources(parts: Parts): Record<string, Resource> {
  const context = contextOf(() => parts);
  const resources: Record<string, Resource> = {};
  for (const [name, resourcesAt] of Object.entries(functions)) {
    Object.assign(resources, withScopes(name, resourcesAt(`/${name}`, context)));
  }
  const isOpen = parts.config.auth === undefined;
  Object.assign(
    resources,
    openapiResources(isOpen),
    healthResources(parts.lifecycle, parts.database),
  );

  const routes = routesOf(resources);
  const index: Resource = {
    GET: operation(
      noParameters,
      ({ req, res }) => {
        const time = new Date().toISOString();
        const openapi = '/openapi.json';
        const headers = { Link: `<${openapi}>; rel="service-desc"` }; // RFC 8631
        const authentication = isOpen ? 'none' : 'bearer';
        const about = { name, version, revision, time, authentication, openapi, routes };
        sendPageOrJson(req, res, about, headers);
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
              revision: z
                .string()
                .describe('The git revision that the image was built from, `unknown` without one'),
              time: z.iso.datetime(),
              authentication: z
                .enum(['none', 'bearer'])
                .describe('Whether the functions want a token'),
              openapi: z.string().describe('The path of the OpenAPI document'),
              routes: z.array(z.string()),
            }),
            example: {
              name,
              version,
              revision: 'unknown',
              time: '2026-11-25T23:38:10.717Z',
              authentication: 'none',
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
export function createFunction(name: string, access: Access, parts: () => Parts): RequestHandler {
  const resourcesAt = functions[name];
  if (!resourcesAt) throw new Error(`there is no function ${name}`);
  const resources = withScopes(name, resourcesAt('', contextOf(parts)));
  const handler = once(() => {
    warnIfOpen(access);
    return serveResources(resources, access);
  });
  return (req, res) => handler()(req, res);
}

/** Warns in the log if the settings do not say who may call. For the start of a host. */
export function warnIfOpen({ auth }: Access): void {
  if (auth) return;
  log.warn('anyone who reaches the service may use it: set AUTH_ISSUER or AUTH_API_KEYS_FILE');
}

/** Whoever reaches the resources may use them, unless the settings say who may. */
function serveResources(
  resources: Record<string, Resource>,
  { auth, corsOrigins }: Access,
  hint?: string,
): RequestHandler {
  const handler = router(resources, auth && createAuthorize(auth), hint);
  return corsOrigins ? withCors(handler, corsOrigins) : handler;
}

/** Gives each operation of a function the scope that a caller needs for it. */
function withScopes(name: string, resources: Record<string, Resource>): Record<string, Resource> {
  for (const resource of Object.values(resources)) {
    for (const [method, operation] of Object.entries(resource)) {
      operation.scope = scopeOf(name, method);
    }
  }
  return resources;
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
