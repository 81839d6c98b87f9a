import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { percentile } from './statistics';

/** Restricts what k6 writes with `--out csv=FILE` to what `readCsv` needs. */
export const csvSettings = {
  K6_CSV_TIME_FORMAT: 'unix_milli',
  K6_SYSTEM_TAGS: 'name,expected_response,group',
};

/** A request that k6 sent. */
export interface Request {
  /** When it was sent, in ms since 1970. */
  start: number;
  /** In ms, with the time to connect: `http_req_blocked` and `http_req_duration` together. */
  duration: number;
  /** Whether the response had an expected status. */
  answered: boolean;
}

/** What k6 measured in one run. */
export interface K6Samples {
  /** In the order in which they were sent, without those of `setup()`. */
  requests: Request[];
  /** When iterations began, in ms since 1970, in that order. */
  iterations: number[];
  /** When iterations were dropped because no VU was free, in ms since 1970. */
  dropped: number[];
}

/** Reads the CSV file of a run. */
export async function readCsv(file: string): Promise<K6Samples> {
  const samples: K6Samples = { requests: [], iterations: [], dropped: [] };
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
        samples.dropped.push(end);
        break;
      case 'iteration_duration':
        if (value('group') !== '::setup')
          samples.iterations.push(end - Number(value('metric_value')));
        break;
      case 'http_req_duration': {
        if (value('name') === 'setup') break;
        const duration = Number(value('metric_value'));
        const answered = value('expected_response') === 'true';
        samples.requests.push({ start: end - duration, duration, answered });
        break;
      }
      case 'http_req_blocked': {
        // belongs to the request before: k6 writes the samples of a request together
        const request = samples.requests.at(-1);
        if (value('name') === 'setup' || !request) break;
        const blocked = Number(value('metric_value'));
        request.start -= blocked;
        request.duration += blocked;
      }
    }
  }
  samples.requests.sort((a, b) => a.start - b.start);
  samples.iterations.sort((a, b) => a - b);
  return samples;
}

/** One second of a run; requests belong to the second in which they were sent. */
export interface Second {
  arrivals: number;
  failed: number;
  dropped: number;
  /** Latency percentiles of the successful requests, in ms; null when there were none. */
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/**
 * Aggregates the samples by second.
 *
 * @param begin the start of the first second, in ms since 1970
 * @param count how many seconds
 */
export function perSecond(
  { requests, dropped }: K6Samples,
  begin: number,
  count: number,
): Second[] {
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
    };
  });
}
