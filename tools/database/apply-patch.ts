import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Applies a unified diff, as `git diff` makes it, to files that are there. It needs no program, which
 * may be missing.
 * @param notice begins each file that is changed
 * @throws Error when the lines that a hunk replaces are not in its file exactly once, wherever
 */
export async function applyPatch(patch: string, folder: string, notice: string): Promise<void> {
  for (const file of patch.split(/^diff .*\n/m).slice(1)) {
    const [head = '', ...hunks] = file.split(/^@@.*\n/m);
    const path = /^\+\+\+ b\/(.*)$/m.exec(head)?.[1] ?? '';
    const text = await readFile(join(folder, path), 'utf8');
    await writeFile(join(folder, path), notice + hunks.reduce(applyHunk(path), text));
  }
}

const applyHunk = (path: string) => (text: string, hunk: string) => {
  const without = (sign: string) =>
    (hunk.match(/.*\n/g) ?? [])
      .filter((line) => !line.startsWith(sign))
      .map((line) => line.replace(/^[-+ ]/, ''))
      .join('');
  const old = without('+');
  const [before, after, ...more] = text.split(old);
  if (after === undefined || more.length > 0) {
    throw new Error(`${path} does not have these lines exactly once:\n${old}`);
  }
  return before + without('-') + after;
};
