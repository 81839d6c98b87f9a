import { rows } from '../bench/table';
import type { Tally } from './clients';

/** The most memory that a load may take of the pod's 500 MiB. */
const mostMiB = 400;

/** What one load did to the service. */
export interface MemoryRow extends Tally {
  name: string;
  /** Why the process ended, if it did. */
  death: string | undefined;
  /** What was charged to its control group before the load, and at most. */
  restMiB: number;
  peakMiB: number;
  /** The most that its sockets held in the kernel, where that is not part of the peak. */
  socketsMiB: number;
  seconds: number;
  /** The status of a `GET /time` after the load, if there was an answer in 5 s. */
  after: number | undefined;
}

/** What a load shows that must not be. */
export function faultsOf({ death, lost, answers, peakMiB, after }: MemoryRow): string[] {
  const gone = Object.values(lost).reduce((sum, count) => sum + count, 0);
  return [
    death && `died (${death})`,
    gone > 0 && `${gone} requests lost (${list(lost)})`,
    answers[500] && `${answers[500]} × 500`,
    peakMiB > mostMiB && `more than ${mostMiB} MiB`,
    !death && after !== 200 && 'no answer afterwards',
  ].filter((fault) => typeof fault === 'string');
}

export function memoryTable(all: MemoryRow[]): string {
  const held = all.filter((row) => faultsOf(row).length === 0).length;
  return [
    rows([
      [
        'load',
        'peak, MiB',
        'sockets, MiB',
        'answers',
        'cut',
        'slowest GET /time, s',
        's',
        'faults',
      ],
      ...all.map((row) => [
        row.name,
        `${row.peakMiB}`,
        `${row.socketsMiB}`,
        list(row.answers),
        `${row.cut}`,
        (row.slowestMs / 1000).toFixed(2),
        `${row.seconds}`,
        faultsOf(row).join(', ') || '–',
      ]),
    ]),
    'Cut: connections that misbehaved and were ended for it. Sockets: what they held in the kernel, which' +
      ' control groups of version 2 count in the peak.',
    `${held} of ${all.length} loads hold.`,
  ].join('\n\n');
}

/** What the service did with one rate of requests. */
export interface OverloadRow {
  /** How many times the best rate was offered; undefined where clients waited for their answers. */
  times: number | undefined;
  /** Per second. */
  offered: number;
  /** Per second, that the clients could send. */
  delivered: number;
  /** Answers with a status of 2xx per second. */
  good: number;
  /** Answers with 503 per second. */
  refused: number;
  /** Any other answer. */
  other: number;
  /** Requests whose connection was ended, or that got no answer. */
  lost: Record<string, number>;
  /** Of the good answers, in ms. */
  p50: number;
  p95: number;
  peakMiB: number;
  /** How much of a core the clients used. Near 1, they are what was measured. */
  clientCores: number;
  death: string | undefined;
}

/** What part of the best rate still has to be answered at ten times it. */
const leastShare = 0.8;

export function overloadFaults(all: OverloadRow[]): string[] {
  const best = Math.max(...all.filter(({ times }) => !times).map(({ good }) => good));
  return all.flatMap(({ times, offered, good, lost, other, death, peakMiB }) => {
    const at = `at ${Math.round(offered)}/s`;
    return [
      death && `${at} it died (${death})`,
      Object.keys(lost).length > 0 && `${at} requests were lost (${list(lost)})`,
      other > 0 && `${at} ${other} answers were neither 2xx nor 503`,
      peakMiB > mostMiB && `${at} it took more than ${mostMiB} MiB`,
      times &&
        times > 1 &&
        good < leastShare * best &&
        `${at} it answered ${Math.round((100 * good) / best)} % of its best rate`,
    ].filter((fault) => typeof fault === 'string');
  });
}

export function overloadTable(all: OverloadRow[]): string {
  const faults = overloadFaults(all);
  return [
    rows([
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
      ...all.map((row) => [
        row.times ? `${row.times} ×` : 'best',
        ...[row.offered, row.delivered, row.good, row.refused].map((rate) => `${Math.round(rate)}`),
        list(row.lost),
        row.p50.toFixed(1),
        row.p95.toFixed(1),
        `${row.peakMiB}${row.death ? ` (${row.death})` : ''}`,
        row.clientCores.toFixed(2),
      ]),
    ]),
    'Where fewer were sent than offered, every connection that the clients may open waited for an answer.',
    faults.length === 0 ? 'It holds.' : faults.map((fault) => `- ${fault}`).join('\n'),
  ].join('\n\n');
}

function list(counts: Record<string, number>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} × ${name}`);
  return parts.join(', ') || '–';
}
