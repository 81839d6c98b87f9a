import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildPublished, hasGo, installGo } from '../../tools/programs/go';
import { cached, onPath } from '../../tools/programs/program-cache';
import type { Report } from '../../tools/programs/run-tool';

export const k6Version = 'v1.8.1';

const cacheName = `k6-${k6Version}`;

/**
 * Finds k6: on the PATH, in the cache, or by building it with Go, which adds it to the cache.
 *
 * @returns its path
 * @throws {Error} that says what to install when there is neither k6 nor Go, or when the build fails
 *   or takes more than 20 minutes
 */
export async function findK6(report: Report): Promise<string> {
  const missing = missingForK6();
  if (missing) throw new Error(`k6 is missing. Install ${missing}.`);
  return onPath('k6') ?? cached(cacheName) ?? buildK6(report);
}

/** @returns what has to be installed before `findK6` can work, if anything */
export function missingForK6(): string | undefined {
  const found = onPath('k6') ?? cached(cacheName);
  if (found || hasGo()) return undefined;
  return `k6 (https://grafana.com/docs/k6/latest/set-up/install-k6) or ${installGo}`;
}

function buildK6(report: Report): Promise<string> {
  report(`building k6 ${k6Version} with Go, once: this takes one to three minutes`);
  return buildPublished(cacheName, 'go.k6.io/k6', k6Version, report);
}

/** @returns a version such as `v1.8.1` */
export async function k6VersionOf(k6: string): Promise<string> {
  const { stdout } = await promisify(execFile)(k6, ['version']);
  return /v[\d.]+\S*/.exec(stdout)?.[0] ?? stdout.trim();
}

export interface K6Run {
  /** 0, 99 when a threshold was crossed, or 108 when `setup()` aborted the test. */
  code: number | null;
  output: string;
}

/**
 * Runs a script of load/, without k6's API server and usage report.
 *
 * @param env the script's settings
 * @param args further arguments of `k6 run`
 */
export async function runK6(
  k6: string,
  script: string,
  env: NodeJS.ProcessEnv,
  args: string[] = [],
): Promise<K6Run> {
  const quiet = ['--quiet', '--no-color', '--no-usage-report', '--address', ''];
  const child = spawn(k6, ['run', ...quiet, ...args, join(__dirname, '..', script)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killChild = () => child.kill();
  process.once('exit', killChild);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const [code] = await once(child, 'close');
  process.off('exit', killChild);
  return { code, output };
}
