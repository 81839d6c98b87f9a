import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../tools/network/ports';
import type { Store } from './collection';
import { type Contender, nodeFolder } from './contenders';
import { posted, type Route } from './routes';

/** A contender's process, with those that it started in turn. */
export interface Running {
  contender: Contender;
  pid: number;
  /** When it was started, as `performance.now()` told it. */
  startedAt: number;
  url(route: Route): string;
  /** @throws Error with its last words, when it has ended by itself */
  assertRuns(): void;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const output = mkdtempSync(join(tmpdir(), 'bench-'));
const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) signal(child, 'SIGKILL');
  rmSync(output, { recursive: true, force: true });
});
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(1));

/** @param cgroup the folder of the control group that it shall run in */
export async function start(
  contender: Contender,
  { uri, database }: Store,
  cgroup?: string,
): Promise<Running> {
  const port = await freePort();
  const command = contender.command(port);
  const [program = '', ...args] = cgroup ? within(cgroup, command) : command;
  const log = join(output, `${port}.log`);
  const stdout = openSync(log, 'w');
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: contender.cwd,
    env: {
      ...process.env,
      PATH: [nodeFolder, process.env.PATH].join(delimiter),
      NODE_ENV: 'production',
      PORT: `${port}`,
      MONGODB_URI: uri,
      MONGO_DATABASE: database,
      ...contender.env,
    },
    stdio: ['ignore', stdout, stdout],
    detached: true,
  });
  closeSync(stdout);
  child.on('error', () => {});
  const { pid } = child;
  if (pid === undefined) throw new Error(`${contender.name} can't be started: ${program}`);
  const exited = once(child, 'exit');
  children.add(child);

  return {
    contender,
    pid,
    startedAt,
    url: (route) => `http://127.0.0.1:${port}${route.path(contender)}`,
    assertRuns() {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(`${contender.name} has ended: ${readFileSync(log, 'utf8').slice(-1000)}`);
    },
    async stop(name = 'SIGKILL') {
      signal(child, name);
      await exited;
      children.delete(child);
      rmSync(log);
    },
  };
}

/**
 * Asks until there is a right answer.
 *
 * @returns how long after the process's start that was, in ms
 * @throws Error when the process ends instead
 */
export async function firstAnswer(running: Running, route: Route): Promise<number> {
  while ((await statusOf(running.url(route), route)) !== route.status) {
    running.assertRuns();
    await sleep(1);
  }
  return performance.now() - running.startedAt;
}

/** @returns undefined when nothing answers */
function statusOf(url: string, { method }: Route): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/json' };
    const asked = request(url, { method, agent: false, ...(method === 'POST' && { headers }) });
    asked.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
    asked.on('error', () => resolve(undefined));
    asked.end(method === 'POST' ? JSON.stringify(posted) : undefined);
  });
}

/** Has a process enter a control group before it becomes the command. */
function within(cgroup: string, command: string[]): string[] {
  return ['sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', cgroup, ...command];
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (pid) process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
