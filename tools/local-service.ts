import { once } from 'node:events';
import { createServer } from 'node:net';
import { config, databaseVariable } from './check-config';
import { checkUnused, type Database, startDatabase } from './database/embedded-database';

/** Where the embedded database keeps its data. */
const directory = '.data';

/**
 * Prepares this machine to run the service: checks the port, then starts the embedded database unless
 * the environment names one, and sets `MONGODB_URI`. The data stay in `.data/`.
 *
 * @throws {Error} when the service already runs in this folder, which is more likely why its port is taken
 * @throws {NodeJS.ErrnoException} when the service could not listen on its port
 */
export async function prepare(): Promise<Database | undefined> {
  if (!databaseVariable) checkUnused(directory);
  await tryPort(config.port);
  if (databaseVariable) return undefined;
  const database = await startDatabase({ directory, report: console.error });
  process.env.MONGODB_URI = database.uri;
  return database;
}

async function tryPort(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/**
 * What the person at the terminal wants to know: which database the service uses, and requests to try.
 *
 * @param database the embedded one, if it is used
 */
export function introduction(url: string, database: Database | undefined): string {
  const token = config.auth ? '-H "Authorization: Bearer $TOKEN" ' : '';
  return `Press Ctrl-C to stop it.
Its database is ${database ? `${names[database.kind]} in ${directory}/` : `that of ${databaseVariable}`}. Try:

  curl -X POST ${token}-H "Content-Type: application/json" -d '{"test":"persistence"}' ${url}/data
  curl ${token}${url}/data
`;
}

const names = { mongod: 'mongod', ferretdb: 'FerretDB 1.24' };
