import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, modules, nodeFolder, peers } from './contenders';

/**
 * Installs and builds what the contenders need, unless that was done before.
 *
 * @returns those that can run here; of the others it says why not
 * @throws Error when a tool is missing without which nothing can be measured
 */
export function prepare(wanted: Contender[]): Contender[] {
  if (isStale(join(modules, '.package-lock.json'), join(__dirname, 'package-lock.json'))) {
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], __dirname);
  }
  if (!existsSync(nodeFolder)) throw new Error('The benchmark runs on Linux, on x64 and arm64.');

  const failures = new Map<Contender['made'], string>();
  for (const [made, make] of [['with Python', makePython] as const, ['with Go', makeGo] as const]) {
    try {
      if (wanted.some((contender) => contender.made === made)) make();
    } catch (error) {
      failures.set(made, (error as Error).message.trim());
    }
  }
  return wanted.filter(({ name, made }) => {
    const failure = failures.get(made);
    if (failure) console.error(`${name}, which is made ${made}, is skipped: ${failure}`);
    return !failure;
  });
}

/** @throws Error that says what to install */
export function findWrk(): void {
  if (spawnSync('wrk', ['--version']).error) {
    throw new Error('The load comes from wrk: install it (Debian, Ubuntu: apt-get install wrk).');
  }
}

function makePython(): void {
  const flask = join(peers, 'flask');
  const installed = join(flask, '.venv/installed');
  if (!isStale(installed, join(flask, 'requirements.txt'))) return;
  run('python3', ['-m', 'venv', '.venv'], flask);
  run('.venv/bin/pip', ['install', '--quiet', '--requirement=requirements.txt'], flask);
  writeFileSync(installed, '');
}

function makeGo(): void {
  run('go', ['build', '-o', 'server', '.'], join(peers, 'go'));
}

function isStale(made: string, source: string): boolean {
  return !existsSync(made) || statSync(made).mtimeMs < statSync(source).mtimeMs;
}

function run(command: string, args: string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
}
