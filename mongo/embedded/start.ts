import { setTimeout as sleep } from 'node:timers/promises';
import { explain, type Service, start } from '../../functions/main';
import { type Database, startDatabase } from './database';

/** `npm start`: the service on this machine, with a database of its own unless one is configured. */
async function main(): Promise<void> {
  const interrupted = () => process.exit(130);
  process.once('SIGINT', interrupted);

  let database: Database | undefined;
  try {
    if (!process.env.MONGODB_URI && !process.env.MONGO_HOST) {
      database = await startDatabase({ directory: '.data', say: console.error });
      process.env.MONGODB_URI = database.uri;
    }
    const service = await start();
    process.off('SIGINT', interrupted);
    await Promise.race([ready(service), service.stopped]);
    await service.stopped;
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
  await database?.stop();
  process.exit();
}

async function ready({ url }: Service): Promise<void> {
  while (!(await fetch(`${url}/readyz`)).ok) await sleep(200);
  console.error(`
The service is at ${url} and Ctrl-C ends it. Try:

  curl -X POST -H "Content-Type: application/json" -d '{"test":"persistence"}' ${url}/data
  curl ${url}/data
`);
}

void main();
