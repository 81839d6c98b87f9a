import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Process } from '../programs/processes';
import type { Kind } from './find-program';

/** What is kept in a database's folder between runs. */
export interface State {
  kind: Kind;
  username: string;
  password: string;
  /** Whether the user exists. Until then nothing can have been stored. */
  ready: boolean;
  /** The last run: the database's process, and the process that started it. */
  run?: { port: number; database: Process; owner: Process };
}

const path = (folder: string) => join(folder, 'database.json');

/** @throws {Error} when the file exists but can't be read */
export function readState(folder: string): State | undefined {
  try {
    return JSON.parse(readFileSync(path(folder), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${path(folder)} can't be read: ${(error as Error).message}`);
  }
}

/** Replaces the file atomically, readable only by its owner. */
export function writeState(folder: string, state: State): void {
  const draft = `${path(folder)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path(folder));
}
