import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { lastingPort } from '../../tools/network/ports';
import type { Target } from './client';

/** A process of the service. */
export interface Replica {
  target: Target;
  child: ChildProcess;
  /** Settles with its exit code, or the signal that ended it. */
  exited: Promise<number | string>;
  /** Whether it should answer: not once it was told to end, and not while it is paused. */
  expected: boolean;
  /** Lines of its log that tell of errors, the first hundred. */
  errors: string[];
  /** The most memory that it has had so far, in MB; 0 where there is no proc(5). */
  peakMb(): number;
}

const likeTheImage = { NODE_OPTIONS: '--max-semi-space-size=2', MALLOC_ARENA_MAX: '1' };

/**
 * Starts what `npm run build` made and waits until it listens.
 *
 * @throws Error when it ends instead
 */
export async function startReplica(name: string, env: NodeJS.ProcessEnv): Promise<Replica> {
  const port = await lastingPort();
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { ...process.env, ...likeTheImage, ...env, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const exited = once(child, 'exit').then(([code, signal]): number | string => {
    process.off('exit', kill);
    return code ?? signal;
  });
  const errors: string[] = [];
  let peak = 0;
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('"level":"error"') && errors.length < 100) errors.push(line);
      if (line.includes('"msg":"listening"')) resolve();
    });
    exited.then((code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return {
    target: { name, url: `http://127.0.0.1:${port}` },
    child,
    exited,
    expected: true,
    errors,
    peakMb() {
      peak = Math.max(peak, residentMb(child.pid));
      return peak;
    },
  };
}

function residentMb(pid?: number): number {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Math.round((Number(kibibytes?.[1] ?? 0) * 1024) / 1e6);
  } catch {
    return 0;
  }
}
