import { http } from '@google-cloud/functions-framework';
import { createApp, createFunction, functionNames, warnIfOpen } from './app';
import { parseAccess, parseConfig } from './config';
import type { RequestHandler } from './http/router';
import { createParts } from './parts';
import { log } from './runtime/log';
import { once } from './runtime/once';

// Registers each function, and `app` with all of them, with the Functions Framework.

/** Read on the first request that needs it: `time` alone runs without a configuration. */
export const parts = once(() => {
  const config = parseConfig(process.env);
  log.level = config.logLevel;
  return createParts(config);
});

const createdApp = once(() => {
  warnIfOpen(parts().config);
  return createApp(parts());
});

/** The whole application, as the container serves it. */
export const app: RequestHandler = (req, res) => createdApp()(req, res);

/** Read at once, so that a function is never open because of a mistake. */
const access = parseAccess(process.env);

http('app', app);
for (const name of functionNames) http(name, createFunction(name, access, parts));
