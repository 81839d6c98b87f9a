import { http } from '@google-cloud/functions-framework';
import { createApp, createFunction, functionNames } from './app';
import { parseConfig } from './config';
import type { RequestHandler } from './http/router';
import { createParts } from './parts';
import { once } from './runtime/once';

// Registers each function, and `app` with all of them, with the Functions Framework.

/** Read on the first request that needs it: `time` alone runs without a configuration. */
export const parts = once(() => createParts(parseConfig(process.env)));

const createdApp = once(() => createApp(parts()));

export const app: RequestHandler = (req, res) => createdApp()(req, res);

http('app', app);
for (const name of functionNames) http(name, createFunction(name, parts));
