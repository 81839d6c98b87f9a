import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { posted, type Route } from './routes';

/** What came of a load. Times are in ms but for `seconds`. */
export interface Load {
  /** Answers that were right, and that were not. */
  right: number;
  wrong: number;
  /** Connections that were refused or broke, and answers that took longer than 30 s. */
  broken: number;
  seconds: number;
  p50: number;
  p99: number;
}

/**
 * Sends a request as often as it is answered.
 *
 * @param connections that stay open, with one request at a time on each
 * @param seconds a whole number
 */
export async function load(
  url: string,
  { method, status, part }: Route,
  connections: number,
  seconds: number,
): Promise<Load> {
  const options = ['--threads=1', `--connections=${connections}`, `--duration=${seconds}s`];
  const script = ['--timeout=30s', `--script=${join(__dirname, 'wrk.lua')}`, url];
  const body = method === 'POST' ? [JSON.stringify(posted)] : [];
  const request = ['--', method, `${status}`, part, ...body];
  const { stdout } = await promisify(execFile)('wrk', [...options, ...script, ...request]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
