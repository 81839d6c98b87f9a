import { pathToFileURL } from 'node:url';
import { MongoClient } from 'mongodb';
import { host } from '../network/ports';
import type { Kind } from './find-program';
import type { State } from './state';

interface Engine {
  /** Its arguments, the password not among them: anyone may read those. */
  arguments(data: string, port: number, username: string): string[];
  environment(password: string): NodeJS.ProcessEnv;
  /** What the first start has to do before the user can log in. */
  firstStart(port: number, user: Pick<State, 'username' | 'password'>): Promise<void>;
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
    // A server without users lets whoever comes from its own machine make the first one.
    firstStart: async (port, { username, password }) => {
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
    firstStart: async () => {},
  },
};

/** @returns where the database is and how to log in, without the name of a database */
export function uriOf(port: number, { username, password }: State): string {
  return `mongodb://${username}:${password}@${host}:${port}/?authSource=admin`;
}

/** Sends one command to `admin`. */
export async function command(uri: string, document: Record<string, unknown>): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
  try {
    await client.db('admin').command(document);
  } finally {
    await client.close();
  }
}
