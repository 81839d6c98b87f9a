import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exampleDocument } from '../common/example-document';
import type { Route } from './routes';

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
  p99: number;
}

/**
 * Loads a route with wrk, in a closed model: each connection sends its next request when the
 * response to the last one has arrived.
 *
 * @param connections kept alive for the whole run
 * @param seconds a whole number
 */
export async function runWrk(
  url: string,
  { method, status, substring }: Route,
  connections: number,
  seconds: number,
): Promise<WrkResult> {
  const options = ['--threads=1', `--connections=${connections}`, `--duration=${seconds}s`];
  const script = ['--timeout=30s', `--script=${join(__dirname, 'wrk.lua')}`, url];
  const body = method === 'POST' ? [JSON.stringify(exampleDocument)] : [];
  const request = ['--', method, `${status}`, substring, ...body];
  const { stdout } = await promisify(execFile)('wrk', [...options, ...script, ...request]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
