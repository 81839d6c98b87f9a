import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../tools/network/ports';
import { nodeFolder } from './install';

/** A program that serves HTTP. */
export interface Server {
  name: string;
  /** @param port to listen on; most programs read it from `PORT` instead */
  command(port: number): string[];
  cwd: string;
  env?: Record<string, string>;
}

/** A running server: its process, and the processes that this one started. */
export interface ServerProcess<T extends Server = Server> {
  server: T;
  pid: number;
  port: number;
  /** When it was started, by `performance.now()`. */
  startedAt: number;
  /** @throws Error with the end of its output, when it exited by itself */
  assertRunning(): void;
  /** @param signal SIGKILL by default */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const logs = mkdtempSync(join(tmpdir(), 'server-'));
const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) killGroup(child, 'SIGKILL');
  rmSync(logs, { recursive: true, force: true });
});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => process.exit(1));
}

/**
 * Starts a server in production mode, on a free port. Does not wait until it listens.
 *
 * @param database where it keeps its documents
 * @param cgroup the folder of the control group to run it in
 */
export async function startServer<T extends Server>(
  server: T,
  database: { uri: string; database: string },
  cgroup?: string,
): Promise<ServerProcess<T>> {
  const port = await freePort();
  const command = server.command(port);
  const [program = '', ...args] = cgroup ? inCgroup(cgroup, command) : command;
  const log = join(logs, `${port}.log`);
  const stdout = openSync(log, 'w');
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: server.cwd,
    env: {
      ...process.env,
      PATH: [nodeFolder, process.env.PATH].join(delimiter),
      NODE_ENV: 'production',
      PORT: `${port}`,
      MONGODB_URI: database.uri,
      MONGO_DATABASE: database.database,
      ...server.env,
    },
    stdio: ['ignore', stdout, stdout],
    detached: true,
  });
  closeSync(stdout);
  child.on('error', () => {});
  const { pid } = child;
  if (pid === undefined) throw new Error(`${server.name} can't be started: ${program}`);
  const exited = once(child, 'exit');
  children.add(child);

  return {
    server,
    pid,
    port,
    startedAt,
    assertRunning() {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(`${server.name} exited: ${readFileSync(log, 'utf8').slice(-1000)}`);
    },
    async stop(signal = 'SIGKILL') {
      killGroup(child, signal);
      await exited;
      children.delete(child);
      rmSync(log);
    },
  };
}

/** A command that enters a control group before it becomes `command`. */
function inCgroup(cgroup: string, command: string[]): string[] {
  return ['sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', cgroup, ...command];
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid) process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
