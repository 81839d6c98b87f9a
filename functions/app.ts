import { name, version } from '../package.json';
import type { Config } from './config';
import { type DataParts, dataResources } from './data';
import { openStore } from './documents/store';
import { healthResources } from './health';
import { noParameters } from './http/query';
import { sendJson } from './http/respond';
import { operation, type RequestHandler, type Resource, router } from './http/router';
import type { Database } from './mongo/database';
import type { Lifecycle } from './runtime/lifecycle';
import { createMemory } from './runtime/memory';
import { formatTime, timeResource } from './time';

const routes = [
  'GET /time',
  'POST /data',
  'GET /data',
  'GET /data/{id}',
  'GET /livez',
  'GET /readyz',
];

/** The git revision that the image was built from. */
const revision = process.env.REVISION || 'unknown';

/** What the application is made of. */
export interface Parts {
  config: Config;
  lifecycle: Lifecycle;
  /** Asked for on the first request that needs it: to load the driver takes longer than to listen. */
  database(): Database;
}

export interface App {
  /** The functions `time` and `data`, below paths of their own, and the probes. */
  app: RequestHandler;
  /** `data` alone, at the root. */
  data: RequestHandler;
}

/** `time` alone, at the root. It needs no parts. */
export const time = router({ '/': timeResource });

/** Bodies that are parsed and written at a time: four of the largest, or some thousand small ones. */
const TURNS_BYTES = 4 * 1024 * 1024;

/** Puts the application together. */
export function createApp({ config, lifecycle, database }: Parts): App {
  const { bodyLimitBytes, memoryBudgetBytes, mongo } = config;
  const parts = once((): DataParts => {
    const memory = createMemory(memoryBudgetBytes);
    const { timeoutMs } = mongo;
    const store = openStore(database(), memory, timeoutMs);
    const turns = createMemory(TURNS_BYTES);
    return { store, memory, turns, bodyLimitBytes, timeoutMs };
  });

  const index: Resource = {
    GET: operation(noParameters, ({ res }) =>
      sendJson(res, 200, { name, version, revision, time: formatTime(Date.now()).time, routes }),
    ),
  };
  return {
    app: router({
      '/': index,
      '/time': timeResource,
      ...dataResources('/data', parts),
      ...healthResources(lifecycle, database),
    }),
    data: router(dataResources('', parts)),
  };
}

/** Makes something when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
