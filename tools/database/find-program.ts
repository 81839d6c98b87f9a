import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cached, onPath } from '../programs/program-cache';
import type { Say } from '../programs/run-tool';
import { buildFerretdb, ferretdbName, ferretdbVersion } from './build-ferretdb';
import { downloadMongod, mongodVersion } from './download-mongod';

export type Kind = 'mongod' | 'ferretdb';

export interface Program {
  kind: Kind;
  path: string;
}

interface Way {
  kind: Kind;
  find(say: Say): string | undefined | Promise<string | undefined>;
}

const mongod = `mongod-${mongodVersion}`;

// In the order they are tried.
const ways: Way[] = [
  { kind: 'mongod', find: () => onPath('mongod') },
  { kind: 'mongod', find: () => cached(mongod) },
  { kind: 'ferretdb', find: ferretdbOnPath },
  { kind: 'ferretdb', find: () => cached(ferretdbName()) },
  { kind: 'mongod', find: (say) => downloadMongod(mongod, say) },
  { kind: 'ferretdb', find: buildFerretdb },
];

/**
 * Finds a program that serves MongoDB's protocol: on the PATH, in the cache, by download or by
 * building it.
 * @param preferred the only kind that will do
 * @throws Error that says what to install
 */
export async function findProgram(preferred: Kind | undefined, say: Say): Promise<Program> {
  const reasons: string[] = [];
  for (const { kind, find } of ways) {
    if (preferred && kind !== preferred) continue;
    try {
      const path = await find(say);
      if (path) return { kind, path };
    } catch (error) {
      const reason = (error as Error).message;
      say(reason);
      reasons.push(reason);
    }
  }
  const mend = { mongod: 'mongod 8', ferretdb: 'Go 1.24 or later' };
  const install = preferred ? mend[preferred] : Object.values(mend).join(' or ');
  throw new Error(
    `no database to run (${reasons.join('; ')}): install ${install}, or set MONGODB_URI`,
  );
}

/** FerretDB 2 is another program: it needs PostgreSQL. */
async function ferretdbOnPath(say: Say): Promise<string | undefined> {
  const path = onPath('ferretdb');
  if (!path) return undefined;
  const about = await promisify(execFile)(path, ['--version'], { timeout: 5000 }).catch(() => ({
    stdout: '',
  }));
  if (!about.stdout.includes('v1.24.')) return undefined;
  if (!about.stdout.includes(ferretdbVersion)) {
    say(`${path} reads the whole collection for each list: off the PATH, a faster one is built`);
  }
  return path;
}
