import { markdownTable } from '../common/markdown';
import type { Tally } from './client-behavior';

/** The service may use this much of the pod's 500 MiB. */
const maxMiB = 400;

/** The result of one scenario. */
export interface MemoryResult extends Tally {
  name: string;
  /** Why the process died, if it did. */
  death: string | undefined;
  /** Memory charged to the control group before the scenario. */
  restMiB: number;
  /** The most memory that was ever charged to it. */
  peakMiB: number;
  /** Peak size of its socket buffers in the kernel, where they are not part of `peakMiB`. */
  socketsMiB: number;
  seconds: number;
  /** The status of `GET /time` after the scenario; undefined without a response within 5 s. */
  after: number | undefined;
}

/** @returns what a scenario did that it must not; empty when it passed */
export function memoryFaults({ death, lost, answers, peakMiB, after }: MemoryResult): string[] {
  const lostCount = Object.values(lost).reduce((sum, count) => sum + count, 0);
  return [
    death && `died (${death})`,
    lostCount > 0 && `${lostCount} requests lost (${formatCounts(lost)})`,
    answers[500] && `${answers[500]} × 500`,
    peakMiB > maxMiB && `more than ${maxMiB} MiB`,
    !death && after !== 200 && 'no response afterwards',
  ].filter((fault) => typeof fault === 'string');
}

export function memoryReport(results: MemoryResult[]): string {
  const passed = results.filter((result) => memoryFaults(result).length === 0).length;
  return [
    markdownTable([
      [
        'scenario',
        'peak, MiB',
        'sockets, MiB',
        'responses',
        'closed',
        'slowest GET /time, s',
        'duration, s',
        'faults',
      ],
      ...results.map((result) => [
        result.name,
        `${result.peakMiB}`,
        `${result.socketsMiB}`,
        formatCounts(result.answers),
        `${result.cut}`,
        (result.slowestMs / 1000).toFixed(2),
        `${result.seconds}`,
        memoryFaults(result).join(', ') || '–',
      ]),
    ]),
    'closed: connections of misbehaving clients that the service closed. sockets: kernel socket buffers,' +
      ' which control groups of version 2 include in the peak.',
    `${passed} of ${results.length} scenarios passed.`,
  ].join('\n\n');
}

/** The result of one offered rate. Rates are in requests per second. */
export interface OverloadResult {
  /** The offered rate as a multiple of the highest throughput; undefined in the closed model. */
  times: number | undefined;
  offered: number;
  /** The rate that the clients really sent. */
  delivered: number;
  /** The rate of 2xx responses. */
  good: number;
  /** The rate of 503 responses. */
  refused: number;
  /** The number of any other responses. */
  other: number;
  /** Requests without a response, by error code. */
  lost: Record<string, number>;
  /** Latency percentiles of the 2xx responses, in ms. */
  p50: number;
  p95: number;
  peakMiB: number;
  /** CPU of the clients, in cores. Near 1, the clients are the bottleneck. */
  clientCores: number;
  death: string | undefined;
}

/** The share of the highest throughput that must remain under overload. */
const minShare = 0.8;

/** @returns what the service did that it must not; empty when it passed */
export function overloadFaults(results: OverloadResult[]): string[] {
  const best = Math.max(...results.filter(({ times }) => !times).map(({ good }) => good));
  return results.flatMap(({ times, offered, good, lost, other, death, peakMiB }) => {
    const at = `at ${Math.round(offered)}/s:`;
    return [
      death && `${at} died (${death})`,
      Object.keys(lost).length > 0 && `${at} requests lost (${formatCounts(lost)})`,
      other > 0 && `${at} ${other} responses were neither 2xx nor 503`,
      peakMiB > maxMiB && `${at} more than ${maxMiB} MiB`,
      times &&
        times > 1 &&
        good < minShare * best &&
        `${at} throughput fell to ${Math.round((100 * good) / best)} % of the highest`,
    ].filter((fault) => typeof fault === 'string');
  });
}

export function overloadReport(results: OverloadResult[]): string {
  const faults = overloadFaults(results);
  return [
    markdownTable([
      [
        'load',
        'offered/s',
        'sent/s',
        '2xx/s',
        '503/s',
        'lost',
        'p50, ms',
        'p95, ms',
        'peak, MiB',
        'clients, cores',
      ],
      ...results.map(({ offered, delivered, good, refused, ...result }) => [
        result.times ? `${result.times} ×` : 'closed model',
        ...[offered, delivered, good, refused].map((rate) => `${Math.round(rate)}`),
        formatCounts(result.lost),
        result.p50.toFixed(1),
        result.p95.toFixed(1),
        `${result.peakMiB}${result.death ? ` (${result.death})` : ''}`,
        result.clientCores.toFixed(2),
      ]),
    ]),
    'Clients drop a request when all connections that they may open are waiting for a response; the rate' +
      ' sent is then below the rate offered.',
    faults.length === 0 ? 'Passed.' : faults.map((fault) => `- ${fault}`).join('\n'),
  ].join('\n\n');
}

/** @returns such as `50 × 201, 10 × 503` */
function formatCounts(counts: Record<string, number>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} × ${name}`);
  return parts.join(', ') || '–';
}
