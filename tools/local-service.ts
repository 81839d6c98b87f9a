import { once } from 'node:events';
import { createServer } from 'node:net';
import { config, usesEmbeddedDatabase } from './check-config';
import { type Database, startDatabase } from './database/embedded-database';

/**
 * Prepares this machine to run the service: checks the port, then starts the embedded database unless
 * the environment names one, and sets `MONGODB_URI`. The data stay in `.data/`.
 *
 * @throws {NodeJS.ErrnoException} when the service could not listen on its port
 */
export async function prepare(): Promise<Database | undefined> {
  await tryPort(config.port);
  if (!usesEmbeddedDatabase) return undefined;
  const database = await startDatabase({ directory: '.data', report: console.error });
  process.env.MONGODB_URI = database.uri;
  return database;
}

async function tryPort(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** Requests to try, for the person at the terminal. */
export function examples(url: string): string {
  return `
  curl -X POST -H "Content-Type: application/json" -d '{"test":"persistence"}' ${url}/data
  curl ${url}/data
`;
}
