import { readFileSync, statSync } from 'node:fs';

/** The largest file, in bytes: as large as a Secret can be. */
const maxBytes = 1024 * 1024;

/**
 * Reads a file that has 1 MiB at most.
 *
 * @throws Error that says why it can't be read
 */
export function readSmallFile(path: string): string {
  try {
    if (statSync(path).size > maxBytes) throw new Error('the file has more than 1 MiB');
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code ? new Error(`the file can't be read (${code})`) : error;
  }
}
