import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { lastingPort } from '../../tools/network/ports';
import { imageEnv } from '../common/built-service';
import type { Target } from './http-client';

/** A process of the service. */
export interface Replica {
  target: Target;
  child: ChildProcess;
  /** Resolves with its exit code, or the signal that killed it. */
  exited: Promise<number | string>;
  /** False from when it is terminated, and while it is frozen. */
  shouldRespond: boolean;
  /** The first hundred lines of its log at level error. */
  errors: string[];
  /** Peak resident memory so far, in MB; 0 on systems without proc(5). */
  peakMb(): number;
}

/**
 * Starts what `npm run build` made, and waits until it listens.
 *
 * @throws Error when it exits instead
 */
export async function startReplica(name: string, env: NodeJS.ProcessEnv): Promise<Replica> {
  const port = await lastingPort();
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { ...process.env, ...imageEnv, ...env, PORT: `${port}` },
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
    exited.then((code) => reject(new Error(`${name} exited with ${code}`)));
  });
  return {
    target: { name, url: `http://127.0.0.1:${port}` },
    child,
    exited,
    shouldRespond: true,
    errors,
    peakMb() {
      peak = Math.max(peak, peakResidentMb(child.pid));
      return peak;
    },
  };
}

function peakResidentMb(pid?: number): number {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Math.round((Number(kibibytes?.[1] ?? 0) * 1024) / 1e6);
  } catch {
    return 0;
  }
}
