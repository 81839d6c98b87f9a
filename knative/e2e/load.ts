import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as assert from 'uvu/assert';
import { env } from './commands';
import { type Variant, variants } from './variants';

/** The end of a k6 run. */
export interface LoadResult {
  requests: number;
  failed: number;
  failedChecks: number;
  /** The highest latency, as k6 prints it, such as `1.2s`. */
  slowest: string;
  /** All that k6 printed. */
  output: string;
}

/** Starts a script of load/ on a variant; it ends by itself or by `stop`. */
export function startLoad(
  { url, host }: Variant,
  settings: Record<string, string>,
  script = 'load/soak.js',
) {
  const child = spawn(
    'k6',
    ['run', '--quiet', '--no-usage-report', '--summary-mode=full', script],
    { env: { ...env, ...settings, BASE_URL: url, HOST: host ?? '' } },
  );
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const find = (pattern: RegExp) => pattern.exec(output)?.slice(1) ?? [];
  const result = once(child, 'close').then((): LoadResult => {
    const [failed, requests] = find(/http_req_failed\.*: [\d.]+% +(\d+) out of (\d+)/);
    const [failedChecks] = find(/checks_failed\.*: [\d.]+% +(\d+) out of/);
    const [slowest = '?'] = find(/http_req_duration\.*:.* max=(\S+)/);
    return {
      requests: Number(requests),
      failed: Number(failed),
      failedChecks: Number(failedChecks),
      slowest,
      output,
    };
  });
  return { stop: () => child.kill('SIGINT'), result };
}

/** @throws Error with the output of k6 when a request or a check failed, or none was sent */
export function assertNoFailures({ requests, failed, failedChecks, output }: LoadResult): void {
  assert.ok(requests > 0 && failed === 0 && failedChecks === 0, output);
}

/**
 * Puts load on both variants during an action. No request may fail.
 *
 * @returns a summary of the requests
 */
export async function withoutFailedRequests(
  settings: Record<string, string>,
  action: () => Promise<void>,
): Promise<string> {
  const loads = variants.map((variant) => startLoad(variant, { ...settings, DURATION: '600s' }));
  try {
    await action();
  } finally {
    for (const load of loads) load.stop();
  }
  const results = await Promise.all(loads.map((load) => load.result));
  return results
    .map((result, i) => {
      assertNoFailures(result);
      return `${variants[i]?.name}: ${result.requests} requests, 0 failed, slowest ${result.slowest}`;
    })
    .join('; ');
}
