import type { Route } from './routes';

/** What one contender did with one request at one number of connections, in one round. */
export interface Sample {
  round: number;
  contender: string;
  route: Route['name'];
  connections: number;
  /** Right answers a second. */
  rate: number;
  /** Latencies, in ms. */
  p50: number;
  p99: number;
  /** CPU time of the contender's processes, in seconds per 1,000 answers. */
  cpuPerThousand: number;
  /** What those processes had resident when the load ended, and the most they ever had, in MB. */
  residentMegabytes: number;
  peakMegabytes: number;
  /** How much of a core the load generator used. Near 1, it is what was measured. */
  loadCores: number;
}

/** All that a run measured. */
export interface Report {
  versions: Record<string, string>;
  rounds: number;
  /** How long each sample took. */
  seconds: number;
  /** Ascending. */
  connections: number[];
  samples: Sample[];
  /** Answers that were wrong, and writes that were acknowledged and are not stored. */
  faults: string[];
}
