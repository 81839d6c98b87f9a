import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, listens } from '../network/ports';
import { end, identify, runs } from '../programs/processes';
import type { Report } from '../programs/run-tool';
import { command, engines, uriOf } from './engine';
import { findProgram, type Kind, type Program } from './find-program';
import { withLock } from './folder-lock';
import { readState, type State, writeState } from './state';

export interface Database {
  /** Has a user and a password, but no database name. */
  uri: string;
  pid: number;
  port: number;
  kind: Kind;
  /** Stops the database, with SIGKILL after 10 s. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts a database with authentication on a free port of 127.0.0.1. It stops with this process. If
 * this process is killed, the next start in the same folder stops it.
 *
 * @param directory keeps the data, the password and the log between runs; created if missing
 * @param report receives progress while a program is downloaded or built
 * @throws {Error} when the folder is in use, there is no program to run, or the database does not
 *   answer within 30 s
 */
export async function startDatabase({
  directory: path,
  report = () => {},
}: {
  directory: string;
  report?: Report;
}): Promise<Database> {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const directory = realpathSync(path);
  await stopOrphan(directory);
  const program = await programFor(directory, report);
  const port = await freePort();
  const { child, state } = await withLock(directory, async () => {
    await stopOrphan(directory); // again, as it can take minutes to get the program
    const state = stateFor(directory, program.kind);
    return { child: launch(directory, program, state, port), state };
  });

  const uri = uriOf(port, state);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program.path} can't be started`);
  const identity = identify(pid);
  const killChild = () => child.kill();
  process.on('exit', killChild);
  const stop = async () => {
    await end(identity);
    process.off('exit', killChild);
  };

  try {
    await untilReady(child, port, state);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${lastLines(join(directory, logFile))}`.trim());
  }
  if (!state.ready) writeState(directory, { ...readState(directory), ...state, ready: true });
  return { uri, pid, port, kind: program.kind, stop };
}

const logFile = 'database.log';

/** @throws {Error} when the owner of the folder's database still runs */
export function checkUnused(directory: string): void {
  const run = readState(directory)?.run;
  if (!run || !runs(run.database) || !runs(run.owner)) return;
  throw new Error(
    `the database in ${directory} is in use by process ${run.owner.pid}: use the service that it runs, stop it, or set MONGODB_URI`,
  );
}

/**
 * Stops a database whose owner was killed.
 *
 * @throws {Error} when the owner of the folder's database still runs
 */
async function stopOrphan(directory: string): Promise<void> {
  checkUnused(directory);
  const run = readState(directory)?.run;
  if (run) await end(run.database);
}

async function programFor(directory: string, report: Report): Promise<Program> {
  const state = readState(directory);
  const kind = state?.ready ? state.kind : undefined;
  try {
    return await findProgram(kind, report);
  } catch (error) {
    const context = kind ? `the data in ${directory} needs ${kind}, but ` : '';
    throw new Error(context + (error as Error).message);
  }
}

/** The folder's state, or a new one, with a new password, if no start has succeeded yet. */
function stateFor(directory: string, kind: Kind): State {
  const saved = readState(directory);
  if (saved?.ready) return saved;
  const data = join(directory, kind);
  if (!saved && existsSync(data)) {
    throw new Error(
      `${directory} has data, but database.json with its password is missing: put it back, or delete ${directory} to start afresh`,
    );
  }
  rmSync(data, { recursive: true, force: true });
  return { kind, username: 'app', password: randomBytes(24).toString('hex'), ready: false };
}

/** Starts the program and records it. Writes the state before the data, so that no data lacks one. */
function launch(directory: string, program: Program, state: State, port: number): ChildProcess {
  const { username, password } = state;
  const engine = engines[program.kind];
  const data = join(directory, program.kind);
  writeState(directory, state);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const output = openSync(join(directory, logFile), 'w', 0o600);
  const child = spawn(program.path, engine.arguments(data, port, username), {
    cwd: data,
    env: { ...process.env, ...engine.environment(password) },
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  child.unref();
  child.on('error', () => {});
  if (child.pid !== undefined) {
    const run = { port, database: identify(child.pid), owner: identify(process.pid) };
    writeState(directory, { ...state, run });
  }
  return child;
}

/** @throws {Error} when the database exits, or its user can't log in within 30 s */
async function untilReady(child: ChildProcess, port: number, state: State): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  const login = async () => {
    while (!(await listens(port))) await sleep(20, undefined, { signal });
    if (!state.ready) await engines[state.kind].createUser(port, state);
    await command(uriOf(port, state), { ping: 1 });
  };
  const exit = once(child, 'exit', { signal }).then(([code, signal]) => {
    throw new Error(`${state.kind} exited before it was ready (${signal ?? `exit code ${code}`})`);
  });
  const timeout = sleep(30_000, undefined, { signal }).then(() => {
    throw new Error(`${state.kind} was not ready after 30 s`);
  });
  try {
    await Promise.race([login(), exit, timeout]);
  } finally {
    settled.abort();
  }
}

function lastLines(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-5).join('\n');
}
