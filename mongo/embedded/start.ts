import { setTimeout as sleep } from 'node:timers/promises';
import { explain, type Service, start } from '../../functions/main';
import { type Database as Embedded, startDatabase } from './database';

/** `npm start`: the service on this machine, with a database of its own unless one is configured. */
async function main(): Promise<void> {
  const interrupted = () => process.exit(130);
  process.once('SIGINT', interrupted);

  let embedded: Embedded | undefined;
  try {
    if (!process.env.MONGODB_URI && !process.env.MONGO_HOST) {
      embedded = await startDatabase({ directory: '.data', say: console.error });
      process.env.MONGODB_URI = embedded.uri;
    }
    const service = await start();
    process.off('SIGINT', interrupted);
    await Promise.race([ready(service), service.stopped]);
    await service.stopped;
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
  await embedded?.stop();
  process.exit();
}

async function ready({ url, database }: Service): Promise<void> {
  while (database.reach() === 'connecting') await sleep(20);
  console.error(`
The service is at ${url} and Ctrl-C ends it. Try:

  curl -X POST -H "Content-Type: application/json" -d '{"test":"persistence"}' ${url}/data
  curl ${url}/data
`);
}

void main();
