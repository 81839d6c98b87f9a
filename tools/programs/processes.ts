import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process, identified for good. */
export interface Process {
  pid: number;
  /** When it started, which distinguishes it from a later process with the same PID. */
  start: string | undefined;
}

/** Identifies the process that has a PID now. If there is none, `runs` is false for the result. */
export function identify(pid: number): Process {
  return { pid, start: startOf(pid) };
}

/** Whether a process still runs. */
export function runs({ pid, start }: Process): boolean {
  return start !== undefined && startOf(pid) === start;
}

/**
 * Ends a process with SIGTERM, and with SIGKILL if it still runs after a while.
 *
 * @param graceMs from SIGTERM to SIGKILL
 * @throws {Error} when it still runs 5 s after that
 */
export async function end(target: Process, graceMs = 10_000): Promise<void> {
  for (const [signal, limit] of [['SIGTERM', graceMs] as const, ['SIGKILL', 5_000] as const]) {
    const deadline = Date.now() + limit;
    if (runs(target)) send(target.pid, signal);
    while (runs(target) && Date.now() < deadline) await sleep(10);
  }
  if (runs(target)) throw new Error(`process ${target.pid} could not be ended`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** @returns undefined when there is no such process, or it is a zombie */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

// Slim images lack ps.
function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, a name in parentheses, may contain anything; the third is the state.
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
