import { http } from '@google-cloud/functions-framework';
import { createApp, once, type Parts, time } from './app';
import { parseConfig } from './config';
import { indexKeys } from './documents/insert';
import type { RequestHandler } from './http/router';
import { openDatabase } from './mongo/database';

/** What the functions are made of: read when one first needs it, as `time` alone needs nothing. */
export const parts = once((): Parts => {
  const config = parseConfig(process.env);
  const database = once(() => openDatabase(config.mongo, indexKeys));
  return { config, database, lifecycle: { draining: false } };
});

const functions = once(() => createApp(parts()));

export const data: RequestHandler = (req, res) => functions().data(req, res);
export const app: RequestHandler = (req, res) => functions().app(req, res);
export { time };

http('time', time);
http('data', data);
http('app', app);
