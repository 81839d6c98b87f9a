import type { Route } from './routes';

/** One contender under one request at one number of connections, in one round. */
export interface Sample {
  round: number;
  contender: string;
  route: Route['name'];
  connections: number;
  /** Throughput: correct responses per second. */
  rate: number;
  /** Latency percentiles, in ms. */
  p50: number;
  p99: number;
  /** CPU time of the contender's processes, in seconds per 1,000 correct responses. */
  cpuPerThousand: number;
  /** Their resident memory when the load ended, in MB. */
  residentMegabytes: number;
  /** The most resident memory that each of them ever had, summed up, in MB. */
  peakMegabytes: number;
  /** CPU of the load generator, in cores. Near 1, the load generator is the bottleneck. */
  loadCores: number;
}

/** The results of `npm run bench`; report/bench.json has this form. */
export interface BenchResults {
  versions: Record<string, string>;
  rounds: number;
  /** Length of each sample. */
  seconds: number;
  /** Ascending. */
  connections: number[];
  samples: Sample[];
  /** Incorrect responses, and acknowledged writes that are not stored. */
  faults: string[];
}
