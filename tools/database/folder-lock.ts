import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, runs } from '../programs/processes';

/** Runs an action while holding a folder's lock, which one process at a time can have; others wait. */
export async function withLock<T>(directory: string, action: () => Promise<T>): Promise<T> {
  const lock = join(directory, 'lock');
  // A link appears with its content; a file would be empty at first.
  const draft = join(directory, `lock-${randomUUID()}`);
  writeFileSync(draft, JSON.stringify(identify(process.pid)));
  try {
    while (!acquire(draft, lock)) await sleep(20);
  } finally {
    rmSync(draft);
  }
  try {
    return await action();
  } finally {
    rmSync(lock, { force: true });
  }
}

function acquire(draft: string, lock: string): boolean {
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (isStale(lock)) rmSync(lock, { force: true });
    return false;
  }
}

/** Whether the process that holds the lock was killed. */
function isStale(lock: string): boolean {
  try {
    return !runs(JSON.parse(readFileSync(lock, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
