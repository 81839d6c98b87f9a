import { once } from 'node:events';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfig } from '../functions/config';
import { explain, type Service, start } from '../functions/main';
import { type Database as Embedded, startDatabase } from './database/embedded-database';

/** `npm start`: the service on this machine, with a database of its own unless one is configured. */
async function main(): Promise<void> {
  // until the service listens to them itself; the embedded database ends with the process
  const interrupted = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, interrupted);

  let embedded: Embedded | undefined;
  try {
    const { env } = process;
    const ownDatabase = !env.MONGODB_URI && !env.MONGO_HOST;
    const { port } = parseConfig(ownDatabase ? { ...env, MONGODB_URI: 'mongodb://later' } : env);
    await tryPort(port);
    if (ownDatabase) {
      embedded = await startDatabase({ directory: '.data', say: console.error });
      env.MONGODB_URI = embedded.uri;
    }
    const service = await start();
    for (const signal of signals) process.off(signal, interrupted);
    await Promise.race([ready(service), service.stopped]);
    await service.stopped;
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
  await embedded?.stop();
  process.exit();
}

/** @throws {NodeJS.ErrnoException} when the service could not listen on this port */
async function tryPort(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function ready({ url, database }: Service): Promise<void> {
  while (database.state() === 'connecting') await sleep(20);
  console.error(`
The service is at ${url} and Ctrl-C ends it. Try:

  curl -X POST -H "Content-Type: application/json" -d '{"test":"persistence"}' ${url}/data
  curl ${url}/data
`);
}

void main();
