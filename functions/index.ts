import { http } from '@google-cloud/functions-framework';
import { createApp, createFunction, functionNames, type Parts } from './app';
import { parseConfig } from './config';
import { indexKeys } from './documents/insert';
import type { RequestHandler } from './http/router';
import { openDatabase } from './mongo/database';
import { once } from './runtime/once';

// Registers each function, and `app` with all of them, with the Functions Framework.

/** Read on the first request that needs it: `time` alone runs without a configuration. */
export const parts = once((): Parts => {
  const config = parseConfig(process.env);
  const database = once(() => openDatabase(config.mongo, indexKeys));
  return { config, database, lifecycle: { draining: false } };
});

const createdApp = once(() => createApp(parts()));

export const app: RequestHandler = (req, res) => createdApp()(req, res);

http('app', app);
for (const name of functionNames) http(name, createFunction(name, parts));
