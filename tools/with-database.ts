import './check-config';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseVariable } from './check-config';
import { startDatabase } from './database/embedded-database';

/** Runs a command with a temporary database, or with the one that the environment names. */
async function main([command, ...args]: string[]): Promise<number> {
  if (!command) throw new Error('usage: with-database COMMAND ARGS...');
  if (databaseVariable) return run(command, args, {});

  const directory = mkdtempSync(join(tmpdir(), 'database-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const database = await startDatabase({ directory, report: console.error });
  try {
    return await run(command, args, { MONGODB_URI: database.uri });
  } finally {
    await database.stop();
  }
}

let child: ChildProcess | undefined;

/** @returns the command's exit code, or 128 + n when signal n ended it */
async function run(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const [code, signal] = await once(child, 'exit');
  return code ?? exitCodeOf(signal);
}

const exitCodeOf = (signal: NodeJS.Signals) => 128 + constants.signals[signal];

// The terminal sends SIGINT to the command too; the others may reach this process alone.
for (const name of ['SIGTERM', 'SIGHUP'] as const) {
  process.on(name, (signal) => (child ? child.kill(signal) : process.exit(exitCodeOf(signal))));
}
process.on('SIGINT', (signal) => child ?? process.exit(exitCodeOf(signal)));

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
