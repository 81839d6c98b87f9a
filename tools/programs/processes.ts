import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Process {
  pid: number;
  /** When it started, which tells it from a later process with the same number. */
  start: string | undefined;
}

export function identify(pid: number): Process {
  return { pid, start: startOf(pid) };
}

/** Whether it still runs. */
export function runs({ pid, start }: Process): boolean {
  return start !== undefined && startOf(pid) === start;
}

/**
 * Ends a process: SIGTERM, and SIGKILL when it still runs 10 s later.
 * @throws Error when even that has not ended it after 5 s more
 */
export async function end(target: Process): Promise<void> {
  for (const [signal, limit] of [['SIGTERM', 10_000] as const, ['SIGKILL', 5_000] as const]) {
    const until = Date.now() + limit;
    if (runs(target)) send(target.pid, signal);
    while (runs(target) && Date.now() < until) await sleep(10);
  }
  if (runs(target)) throw new Error(`process ${target.pid} does not end`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** @returns undefined when there is no such process, or all that is left of it is its number */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

// Slim images have no ps.
function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may hold anything, come the third field, the state, and the others.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[22 - 3];
  } catch {
    return undefined;
  }
}

function fromPs(pid: number): string | undefined {
  const ps = spawnSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', `${pid}`], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (ps.error) throw ps.error;
  const [state = 'Z', ...start] = ps.stdout.split(/\s+/).filter(Boolean);
  return state.startsWith('Z') ? undefined : start.join(' ');
}
