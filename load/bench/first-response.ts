import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { exampleDocument } from '../common/example-document';
import type { ServerProcess } from '../common/server-process';
import type { Contender } from './contenders';
import { type Route, urlOf } from './routes';

/**
 * Repeats a request until its response is correct.
 *
 * @returns the time from the start of the process to that response, in ms
 * @throws Error when the process exits instead
 */
export async function firstResponse(
  process: ServerProcess<Contender>,
  route: Route,
): Promise<number> {
  while ((await statusOf(urlOf(process, route), route)) !== route.status) {
    process.assertRunning();
    await sleep(1);
  }
  return performance.now() - process.startedAt;
}

/** @returns undefined when the connection fails */
function statusOf(url: string, { method }: Route): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/json' };
    const req = request(url, { method, agent: false, ...(method === 'POST' && { headers }) });
    req.on('response', (res) => res.resume().on('end', () => resolve(res.statusCode)));
    req.on('error', () => resolve(undefined));
    req.end(method === 'POST' ? JSON.stringify(exampleDocument) : undefined);
  });
}
