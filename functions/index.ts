import { http } from '@google-cloud/functions-framework';
import { name, version } from '../package.json';
import { type Config, parseConfig } from './config';
import { dataResources } from './data';
import { type Database, openDatabase } from './database';
import { healthResources } from './health';
import { noParameters } from './query';
import { sendJson } from './respond';
import { operation, type Resource, router } from './router';
import { openStore, type Store } from './store';
import { tellTime, timeResource } from './time';

const routes = [
  'GET /time',
  'POST /data',
  'GET /data',
  'GET /data/{id}',
  'GET /livez',
  'GET /readyz',
];

/** The process's configuration, read when it is first asked for: `time` alone needs none. */
export const config = once((): Config => parseConfig(process.env));

/** The process's one database client. */
export const database = once((): Database => openDatabase(config().mongo));

const store = once((): Store => openStore(database(), config().mongo.timeoutMs));

/** What the host tells the probes. */
export const state = { draining: false };

const service = {
  store,
  bodyLimitBytes: () => config().bodyLimitBytes,
  reach: () => database().reach(),
  draining: () => state.draining,
};

const index: Resource = {
  GET: operation(noParameters, ({ res }) =>
    sendJson(res, 200, { name, version, time: tellTime(Date.now()).time, routes }),
  ),
};

export const time = router({ '/': timeResource });
export const data = router(dataResources('', service));
export const app = router({
  '/': index,
  '/time': timeResource,
  ...dataResources('/data', service),
  ...healthResources(service),
});

http('time', time);
http('data', data);
http('app', app);

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
