import { cp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addToCache } from '../programs/program-cache';
import { type Say, work } from '../programs/run-tool';

export const ferretdbVersion = 'v1.24.2';

/**
 * Builds FerretDB with Go into the cache, under the name given. `go install` would do, but what it
 * makes of this module stops at once: build/version/version.txt is not in it.
 * @returns its path
 * @throws Error when there is no Go, the build fails or takes more than 20 min
 */
export function buildFerretdb(name: string, say: Say): Promise<string> {
  return addToCache(name, async (path) => {
    say(`building FerretDB ${ferretdbVersion} with Go, this once: it takes some minutes`);
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

    const module = `github.com/FerretDB/FerretDB@${ferretdbVersion}`;
    const { Dir } = JSON.parse(await run('go', ['mod', 'download', '-json', module]));
    await cp(Dir, source, { recursive: true });
    await run('chmod', ['-R', 'u+w', source]);
    await writeFile(join(source, 'build/version/version.txt'), ferretdbVersion);
    const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];
    await run('go', ['build', ...flags, '-o', path, './cmd/ferretdb'], source);
    await run(path, ['--version']);
  });
}
