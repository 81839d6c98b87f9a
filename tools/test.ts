import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { selectTests } from './select-tests';

const folders = ['docs', 'functions', 'knative', 'load', 'mongo', 'tools'];

/**
 * `npm test`: checks, builds and tests everything. `npm test -- NAME...` only builds, and runs the test
 * files of these names (see `selectTests`).
 */
function main(names: string[]): void {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
      .map((file) => join(folder, file)),
  );
  const selected = selectTests(files, names);
  if (names.length === 0) run('npm', 'run', 'check');
  run('npm', 'run', 'build');
  const pattern = selected.map((file) => file.replaceAll('.', '\\.')).join('|');
  const uvu = ['npm', 'run', 'uvu', '--', `^(${pattern})$`];
  run('ts-node', '--transpileOnly', 'tools/with-database.ts', ...uvu);
}

/** Runs a command, and exits with its exit code when it fails. */
function run(command: string, ...args: string[]): void {
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit' });
  if (signal) process.exit(128 + constants.signals[signal]);
  if (status !== 0) process.exit(status ?? 1);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
