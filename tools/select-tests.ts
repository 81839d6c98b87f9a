import { basename } from 'node:path';

/**
 * Selects test files by name: `data` is data.test.ts, wherever it is, or else every file with `data`
 * in its path. `functions/` is all tests in that folder.
 *
 * @param files paths from the repository's root, with `/`
 * @param names all files if there are none
 * @throws {Error} when a name matches no file
 */
export function selectTests(files: string[], names: string[]): string[] {
  if (names.length === 0) return files;
  const selected = names.flatMap((name) => {
    const exact = files.filter((file) => file === name || basename(file) === `${name}.test.ts`);
    const found = exact.length > 0 ? exact : files.filter((file) => file.includes(name));
    if (found.length === 0) throw new Error(`There is no test file for ${name}.`);
    return found;
  });
  return [...new Set(selected)];
}
