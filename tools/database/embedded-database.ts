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
import type { Say } from '../programs/run-tool';
import { command, engines, uriOf } from './engine';
import { findProgram, type Kind, type Program } from './find-program';
import { alone } from './folder-lock';
import { readState, type State, writeState } from './state';

export interface Database {
  /** With user and password, without the name of a database. */
  uri: string;
  pid: number;
  port: number;
  kind: Kind;
  /** Ends the database, by force after 10 s. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts a database with authentication on, on a free port of 127.0.0.1. It ends with this process,
 * unless that is killed: then the next start on the same folder ends it.
 * @param directory keeps data, password and log from run to run; made when missing
 * @param say gets a line now and then while a program is downloaded or built
 * @throws Error when the folder is in use, no program is found or the database does not answer
 *   within 30 s
 */
export async function startDatabase(options: { directory: string; say: Say }): Promise<Database> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const directory = realpathSync(options.directory);
  await endOrphan(directory);
  const program = await programFor(directory, options.say);
  const port = await freePort();
  const { child, state } = await alone(directory, async () => {
    await endOrphan(directory); // again: the program may have been long in coming
    const state = stateFor(directory, program.kind);
    return { child: launch(directory, program, state, port), state };
  });

  const uri = uriOf(port, state);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program.path} can't be started`);
  const itself = identify(pid);
  const endWithUs = () => child.kill();
  process.on('exit', endWithUs);
  const stop = async () => {
    await end(itself);
    process.off('exit', endWithUs);
  };

  try {
    await answers(child, port, state);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${lastLines(join(directory, log))}`.trim());
  }
  if (!state.ready) writeState(directory, { ...readState(directory), ...state, ready: true });
  return { uri, pid, port, kind: program.kind, stop };
}

const log = 'database.log';

/** @throws Error when whoever started the database that runs on this folder is there, too */
async function endOrphan(directory: string): Promise<void> {
  const run = readState(directory)?.run;
  if (!run || !runs(run.database)) return;
  if (runs(run.owner)) {
    throw new Error(
      `the database in ${directory} is in use by process ${run.owner.pid}: stop that, or set MONGODB_URI`,
    );
  }
  await end(run.database);
}

async function programFor(directory: string, say: Say): Promise<Program> {
  const state = readState(directory);
  const kind = state?.ready ? state.kind : undefined;
  try {
    return await findProgram(kind, say);
  } catch (error) {
    const why = kind ? `the data in ${directory} is ${kind}'s, and there is ` : '';
    throw new Error(why + (error as Error).message);
  }
}

/** What is known of the folder, or a new password for a first start or one that came to nothing. */
function stateFor(directory: string, kind: Kind): State {
  const known = readState(directory);
  if (known?.ready) return known;
  const data = join(directory, kind);
  if (!known && existsSync(data)) {
    throw new Error(`${directory} has data, but its password is gone with database.json`);
  }
  rmSync(data, { recursive: true, force: true });
  return { kind, username: 'app', password: randomBytes(24).toString('hex'), ready: false };
}

/** Starts the program and records it. The state before the data: a folder with data has a state. */
function launch(directory: string, program: Program, state: State, port: number): ChildProcess {
  const { username, password } = state;
  const engine = engines[program.kind];
  const data = join(directory, program.kind);
  writeState(directory, state);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const output = openSync(join(directory, log), 'w', 0o600);
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

/** @throws Error when the database exits, or has not let its user in after 30 s */
async function answers(child: ChildProcess, port: number, state: State): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  const login = async () => {
    while (!(await listens(port))) await sleep(20, undefined, { signal });
    if (!state.ready) await engines[state.kind].firstStart(port, state);
    await command(uriOf(port, state), { ping: 1 });
  };
  const exit = once(child, 'exit', { signal }).then(([code, by]) => {
    throw new Error(`${state.kind} ended before it answered (${by ?? `exit code ${code}`})`);
  });
  const late = sleep(30_000, undefined, { signal }).then(() => {
    throw new Error(`${state.kind} has not answered in 30 s`);
  });
  try {
    await Promise.race([login(), exit, late]);
  } finally {
    settled.abort();
  }
}

function lastLines(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-5).join('\n');
}
