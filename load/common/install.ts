import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const benchFolder = join(__dirname, '../bench');

/** The packages of load/bench/package.json: the peers, and the Node.js that the image has. */
export const benchPackages = join(benchFolder, 'node_modules');

/** Where that Node.js is. Servers under test run on it, whatever this process runs on. */
export const nodeFolder = join(benchPackages, `node-${process.platform}-${process.arch}`, 'bin');

/**
 * Installs these packages, unless they are up to date.
 *
 * @throws Error on platforms for which that Node.js is not packaged
 */
export function installBenchPackages(): void {
  const lockfile = join(benchFolder, 'package-lock.json');
  if (isOutdated(join(benchPackages, '.package-lock.json'), lockfile)) {
    runInstaller('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], benchFolder);
  }
  if (!existsSync(nodeFolder)) throw new Error('This runs on Linux only, on x64 or arm64.');
}

/** Whether a file is missing, or older than what it is made from. */
export function isOutdated(file: string, source: string): boolean {
  return !existsSync(file) || statSync(file).mtimeMs < statSync(source).mtimeMs;
}

/** Runs a command to its end, with its output on standard error. */
export function runInstaller(command: string, args: string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
}
