import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { kubectl } from './commands';
import { assertNoFailures, startLoad } from './load';
import { type Variant, variants } from './variants';

/**
 * Sends a spike to one variant after the other, and compares what Prometheus counted with what k6 sent.
 * It passes without a Prometheus, too: `COMPONENTS=knative/monitoring` deploys one.
 *
 * @returns a line for the table of results
 */
export async function prometheusAgreesWithK6(): Promise<string> {
  if (!(await kubectl('get', 'deployment/prometheus', '--ignore-not-found', '-o', 'name')))
    return 'not without COMPONENTS=knative/monitoring';
  const results: string[] = [];
  for (const variant of variants) {
    const startedAt = Date.now();
    const load = await startLoad(variant, {}, 'load/spike.js').result;
    assertNoFailures(load);
    const sent = load.requests - 1; // its setup asks /readyz
    await sleep(12_000); // two scrapes, and a little more
    const counted = await countRequests(variant, startedAt);
    assert.ok(Math.abs(counted / sent - 1) <= 0.01, `${counted} requests counted, ${sent} sent`);
    results.push(`${variant.name}: ${counted} of ${sent} requests`);
  }
  return results.join('; ');
}

/**
 * Counts the requests to a variant that got a 2xx, by the last value of each replica's counters, also of
 * replicas that are gone, less the value before. `increase` would extrapolate, and miss all that a new
 * replica counted before it was first scraped.
 *
 * @param since as Unix time, in ms
 */
async function countRequests({ name }: Variant, since: number): Promise<number> {
  const window = `${Math.round((Date.now() - since) / 1000)}s`;
  const counter = `http_server_request_duration_seconds_count{job="functions", variant="${name}", http_route!~"/livez|/readyz", http_response_status_code=~"2.."}`;
  const before = `(${counter} offset ${window} or 0 * max_over_time(${counter}[${window}]))`;
  const [sample] = await query(`sum(max_over_time(${counter}[${window}]) - ${before})`);
  return Number(sample?.value[1]);
}

/** @throws Error with the output of promtool, which is in the image of Prometheus */
async function query(expression: string): Promise<{ value: [number, string] }[]> {
  return JSON.parse(
    await kubectl(
      ...['exec', 'deployment/prometheus', '--', 'promtool', 'query', 'instant'],
      ...['--format', 'json', 'http://localhost:9090', expression],
    ),
  );
}
