import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addToCache } from '../programs/program-cache';
import { type Say, work } from '../programs/run-tool';
import { applyPatch } from './apply-patch';

const moduleVersion = 'v1.24.2';

/** What the program says that is built here: FerretDB's version, and that it has our changes. */
export const ferretdbVersion = `${moduleVersion}+pushdown`;

/** Our changes to FerretDB: a patch, and files that are added. */
const changes = join(__dirname, 'ferretdb');

/** @returns the program's name in the cache, which is another for each state of the changes */
export function ferretdbName(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(changes, { recursive: true }).map(String).sort()) {
    if (/\.(go|patch)$/.test(name)) hash.update(name).update(readFileSync(join(changes, name)));
  }
  return `ferretdb-${moduleVersion}-${hash.digest('hex').slice(0, 12)}`;
}

/**
 * Builds FerretDB with our changes with Go, into the cache.
 * @returns its path
 * @throws Error when there is no Go, the build fails or takes more than 20 min
 */
export function buildFerretdb(say: Say): Promise<string> {
  return addToCache(ferretdbName(), async (path) => {
    say(`building FerretDB ${moduleVersion} with Go, this once: it takes some minutes`);
    const folder = dirname(path);
    const source = join(folder, 'source');
    const run = (command: string, args: string[], cwd = folder) =>
      work({
        title: 'build of FerretDB',
        command,
        args,
        cwd,
        env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
        limit: 1200,
        say,
      });

    const module = `github.com/FerretDB/FerretDB@${moduleVersion}`;
    const { Dir } = JSON.parse(await run('go', ['mod', 'download', '-json', module]));
    await cp(Dir, source, { recursive: true });
    await run('chmod', ['-R', 'u+w', source]);
    const patch = await readFile(join(changes, 'pushdown.patch'), 'utf8');
    await applyPatch(patch, source, '// Changed by functions-on-knative.\n\n');
    await cp(join(changes, 'added'), source, { recursive: true });
    await writeFile(join(source, 'build/version/version.txt'), ferretdbVersion); // or it stops at once
    const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];
    await run('go', ['build', ...flags, '-o', path, './cmd/ferretdb'], source);
    await run(path, ['--version']);
  });
}
