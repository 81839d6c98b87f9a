import { pathToFileURL } from 'node:url';
import { MongoClient } from 'mongodb';
import { host } from '../network/ports';
import type { Kind } from './find-program';
import type { State } from './state';

/** How one kind of database is run. */
interface Engine {
  /** Command line arguments, without the password, as other users can read them. */
  arguments(data: string, port: number, username: string): string[];
  environment(password: string): NodeJS.ProcessEnv;
  /** Creates the user after the first start, if the command line did not. */
  createUser(port: number, user: Pick<State, 'username' | 'password'>): Promise<void>;
}

export const engines: Record<Kind, Engine> = {
  mongod: {
    arguments: (data, port) => [
      '--auth',
      `--bind_ip=${host}`,
      `--port=${port}`,
      `--dbpath=${data}`,
      '--nounixsocket',
    ],
    environment: () => ({}),
    // Without users, mongod lets anyone on its own machine create the first one.
    createUser: async (port, { username, password }) => {
      await command(`mongodb://${host}:${port}/?directConnection=true`, {
        createUser: username,
        pwd: password,
        roles: ['root'],
      });
    },
  },
  ferretdb: {
    arguments: (data, port, username) => [
      '--handler=sqlite',
      `--sqlite-url=${pathToFileURL(data)}/`,
      `--state-dir=${data}`,
      `--listen-addr=${host}:${port}`,
      '--debug-addr=-',
      '--telemetry=disable',
      '--log-level=error',
      '--test-enable-new-auth',
      '--setup-database=admin',
      `--setup-username=${username}`,
    ],
    environment: (password) => ({ FERRETDB_SETUP_PASSWORD: password }),
    createUser: async () => {},
  },
};

/** @returns the connection string, without a database name */
export function uriOf(port: number, { username, password }: State): string {
  return `mongodb://${username}:${password}@${host}:${port}/?authSource=admin`;
}

/** Runs one command on the database `admin`. */
export async function command(uri: string, document: Record<string, unknown>): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
  try {
    await client.db('admin').command(document);
  } finally {
    await client.close();
  }
}
