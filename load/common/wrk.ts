import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A request that wrk repeats, and how to recognize a correct response to it. */
export interface WrkRequest {
  method: 'GET' | 'POST';
  status: number;
  /** A substring of every correct body. */
  substring: string;
  /** JSON to send. */
  body?: string;
}

/** What wrk.lua prints. */
export interface WrkResult {
  /** Responses, by whether they were correct. */
  correct: number;
  incorrect: number;
  /** Connections refused or broken, and requests that timed out after 30 s. */
  errors: number;
  /** The length of the run. */
  seconds: number;
  /** Latency percentiles, in ms. */
  p50: number;
  p95: number;
  p99: number;
}

/** @throws Error that says how to install it */
export function assertWrk(): void {
  if (spawnSync('wrk', ['--version']).error) {
    throw new Error('wrk is missing. Install it (Debian, Ubuntu: apt-get install wrk).');
  }
}

/**
 * Repeats a request with wrk, in a closed model: each connection sends its next request when the
 * response to the last one has arrived.
 *
 * @param urls of the same path on one server or more, which share the connections evenly
 * @param connections kept alive for the whole run, at least one for each server
 * @param seconds a whole number
 */
export async function runWrk(
  urls: string[],
  { method, status, substring, body }: WrkRequest,
  connections: number,
  seconds: number,
): Promise<WrkResult> {
  const [url = ''] = urls;
  const script = join(__dirname, 'wrk.lua');
  const options = [`--threads=${urls.length}`, `--connections=${connections}`];
  const times = [`--duration=${seconds}s`, '--timeout=30s'];
  const request = [method, `${status}`, substring, ...(body === undefined ? [] : [body])];
  const args = [...options, ...times, `--script=${script}`, url, '--', ...request];
  const WRK_PORTS = urls.map((each) => new URL(each).port).join(' ');
  const env = { ...process.env, WRK_PORTS };
  const { stdout } = await promisify(execFile)('wrk', args, { env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
