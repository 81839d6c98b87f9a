import './check-config';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Service, start } from '../functions/main';
import { explain } from '../functions/runtime/explain';
import type { Database } from './database/embedded-database';
import { introduction, prepare } from './local-service';

/** `npm start`: runs the service on this machine, with the embedded database if need be. */
async function main(): Promise<void> {
  // until the service handles them itself; the embedded database stops with the process
  const exit = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, exit);

  let database: Database | undefined;
  try {
    database = await prepare();
    const service = await start();
    for (const signal of signals) process.off(signal, exit);
    await Promise.race([announce(service, database), service.stopped]);
    await service.stopped;
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
  await database?.stop();
  process.exit();
}

async function announce(service: Service, database: Database | undefined): Promise<void> {
  const { url } = service;
  while (service.database.state() === 'connecting') await sleep(20);
  console.error(`\nThe service is at ${url}. ${introduction(url, database)}`);
}

void main();
