import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildFlags, runGo } from '../programs/go';
import { addToCache } from '../programs/program-cache';
import { type Report, runTool } from '../programs/run-tool';
import { applyPatch } from './apply-patch';

const moduleVersion = 'v1.24.2';

/** The version that a program built here reports: FerretDB's, with our changes. */
export const ferretdbVersion = `${moduleVersion}+pushdown`;

/** Our changes to FerretDB: a patch, and files that are added. */
const changes = join(__dirname, 'ferretdb');

/** @returns the program's name in the cache, with a hash of our changes */
export function ferretdbName(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(changes, { recursive: true }).map(String).sort()) {
    if (/\.(go|patch)$/.test(name)) hash.update(name).update(readFileSync(join(changes, name)));
  }
  return `ferretdb-${moduleVersion}-${hash.digest('hex').slice(0, 12)}`;
}

/**
 * Builds FerretDB, with our changes, with Go and adds it to the cache.
 *
 * @returns its path
 * @throws {Error} when Go is missing, or the build fails or takes more than 20 minutes
 */
export function buildFerretdb(report: Report): Promise<string> {
  return addToCache(ferretdbName(), async (path) => {
    report(`building FerretDB ${moduleVersion} with Go, once: this takes one to three minutes`);
    const title = 'building FerretDB';
    const folder = dirname(path);
    const source = join(folder, 'source');

    const download = ['mod', 'download', '-json', `github.com/FerretDB/FerretDB@${moduleVersion}`];
    const { Dir } = JSON.parse(await runGo(title, download, { cwd: folder, report }));
    await cp(Dir, source, { recursive: true });
    await runTool({ title, command: 'chmod', args: ['-R', 'u+w', source], timeout: 60, report });
    const patch = await readFile(join(changes, 'pushdown.patch'), 'utf8');
    await applyPatch(patch, source, '// Changed by functions-on-knative.\n\n');
    await cp(join(changes, 'added'), source, { recursive: true });
    await writeFile(join(source, 'build/version/version.txt'), ferretdbVersion); // it exits without
    const build = ['build', ...buildFlags, '-o', path, './cmd/ferretdb'];
    await runGo(title, build, { cwd: source, report });
    await runTool({ title, command: path, args: ['--version'], timeout: 60, report });
  });
}
