import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** What k6 writes with `--out csv=FILE`, no more of it than is read here. */
export const csvSettings = {
  K6_CSV_TIME_FORMAT: 'unix_milli',
  K6_SYSTEM_TAGS: 'name,expected_response',
};

/** One request that k6 sent. */
export interface Request {
  /** Milliseconds since 1970, when it was sent. */
  start: number;
  /** Milliseconds from sending it to the end of the answer, without the connection's set-up. */
  duration: number;
  answered: boolean;
}

export interface Sent {
  requests: Request[];
  /** Milliseconds since 1970, when k6 had no client free for an iteration. */
  dropped: number[];
}

/** Reads what k6 wrote, but for the requests of `setup()`. */
export async function readCsv(file: string): Promise<Sent> {
  const sent: Sent = { requests: [], dropped: [] };
  let columns: string[] | undefined;
  for await (const line of createInterface(createReadStream(file))) {
    const cells = line.split(',');
    if (!columns) {
      columns = cells;
      continue;
    }
    const value = (column: string) => cells[columns?.indexOf(column) ?? -1] ?? '';
    const end = Number(value('timestamp'));
    switch (cells[0]) {
      case 'dropped_iterations':
        sent.dropped.push(end);
        break;
      case 'http_req_duration': {
        if (value('name') === 'setup') break;
        const duration = Number(value('metric_value'));
        const answered = value('expected_response') === 'true';
        sent.requests.push({ start: end - duration, duration, answered });
      }
    }
  }
  sent.requests.sort((a, b) => a.start - b.start);
  return sent;
}

/** One second of a run, by when the requests were sent. */
export interface Second {
  arrivals: number;
  failed: number;
  dropped: number;
  /** Milliseconds; of those answered, null when there was none. */
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** How many were under way on average: rate × mean duration. */
  concurrency: number;
}

/**
 * Sums up each second of `count`.
 * @param begin milliseconds since 1970
 */
export function perSecond({ requests, dropped }: Sent, begin: number, count: number): Second[] {
  const second = (at: number) => Math.floor((at - begin) / 1000);
  const sentIn = Array.from({ length: count }, (): Request[] => []);
  for (const request of requests) sentIn[second(request.start)]?.push(request);
  return sentIn.map((sent, i) => {
    const durations = sent.filter(({ answered }) => answered).map(({ duration }) => duration);
    return {
      arrivals: sent.length,
      failed: sent.length - durations.length,
      dropped: dropped.filter((at) => second(at) === i).length,
      p50: percentile(durations, 50),
      p95: percentile(durations, 95),
      p99: percentile(durations, 99),
      concurrency: sent.reduce((sum, { duration }) => sum + duration, 0) / 1000,
    };
  });
}

/** The nearest-rank percentile, or null of no values. */
export function percentile(values: number[], percent: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? null;
}
