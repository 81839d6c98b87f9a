import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, runs } from '../programs/processes';

/** Does what only one process at a time may do in a folder; the others wait for it. */
export async function alone<T>(directory: string, action: () => Promise<T>): Promise<T> {
  const lock = join(directory, 'lock');
  // A link comes into being with its content; a file would be empty at first.
  const draft = join(directory, `lock-${randomUUID()}`);
  writeFileSync(draft, JSON.stringify(identify(process.pid)));
  try {
    while (!take(draft, lock)) await sleep(20);
  } finally {
    rmSync(draft);
  }
  try {
    return await action();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(draft: string, lock: string): boolean {
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (abandoned(lock)) rmSync(lock, { force: true });
    return false;
  }
}

/** Whether whoever took it was killed before it could give it back. */
function abandoned(lock: string): boolean {
  try {
    return !runs(JSON.parse(readFileSync(lock, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
