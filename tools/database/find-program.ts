import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hasGo, installGo } from '../programs/go';
import { cached, onPath } from '../programs/program-cache';
import type { Report } from '../programs/run-tool';
import { buildFerretdb, ferretdbName, ferretdbVersion } from './build-ferretdb';
import { downloadMongod, mongodVersion } from './download-mongod';

export type Kind = 'mongod' | 'ferretdb';

export interface Program {
  kind: Kind;
  path: string;
}

interface Source {
  kind: Kind;
  needsGo?: boolean;
  /** @returns the program's path, or undefined when this source does not have it */
  find(report: Report): string | undefined | Promise<string | undefined>;
}

const mongod = `mongod-${mongodVersion}`;

/** In the order in which they are tried. */
const sources: Source[] = [
  { kind: 'mongod', find: () => onPath('mongod') },
  { kind: 'mongod', find: () => cached(mongod) },
  { kind: 'ferretdb', find: ferretdbOnPath },
  { kind: 'ferretdb', find: () => cached(ferretdbName()) },
  { kind: 'mongod', find: (report) => downloadMongod(mongod, report) },
  { kind: 'ferretdb', needsGo: true, find: buildFerretdb },
];

/** What to install for each kind. */
const installations: Record<Kind, string> = {
  mongod: 'mongod 8 (https://www.mongodb.com/docs/manual/installation)',
  ferretdb: installGo,
};

/**
 * Finds a program that speaks MongoDB's protocol: on the PATH, in the cache, by downloading or by
 * building it.
 *
 * @param kind the only kind that will do, if any
 * @throws {Error} that says what failed last and what to install
 */
export async function findProgram(kind: Kind | undefined, report: Report): Promise<Program> {
  const candidates = sources
    .filter((source) => !kind || source.kind === kind)
    .filter(({ needsGo }) => !needsGo || hasGo());
  let failure = '';
  for (const source of candidates) {
    if (failure) report(failure); // and on with the next
    failure = '';
    try {
      const path = await source.find(report);
      if (path) return { kind: source.kind, path };
    } catch (error) {
      failure = (error as Error).message;
    }
  }
  const install = kind ? installations[kind] : Object.values(installations).join(' or ');
  throw new Error(
    `there is no ${kind ?? 'database'} to run${failure && ` (${failure})`}. Install ${install}, or set MONGODB_URI.`,
  );
}

/** FerretDB 1.24, if it is on the PATH. FerretDB 2 does not do: it needs PostgreSQL. */
async function ferretdbOnPath(report: Report): Promise<string | undefined> {
  const path = onPath('ferretdb');
  if (!path) return undefined;
  const version = await promisify(execFile)(path, ['--version'], { timeout: 5000 }).catch(() => ({
    stdout: '',
  }));
  if (!version.stdout.includes('v1.24.')) return undefined;
  if (!version.stdout.includes(ferretdbVersion)) {
    report(`${path} reads the whole collection for each list. Without it, a faster one is built.`);
  }
  return path;
}
