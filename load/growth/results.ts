import type { PartName } from './parts';

/** One load at one point of a part, on one database. */
export interface Sample {
  /** Name of the database. */
  database: string;
  /** Name of the load. */
  load: string;
  /** What the part varies: replicas, bytes, documents or connections. */
  x: number;
  /** Correct responses per second. */
  rate: number;
  /** Requests with another response, or none. */
  failed: number;
  /** Latency, in ms; null without a correct response. */
  p95: number | null;
  /**
   * CPU time per 1,000 correct responses, in ms: of all replicas, and of the database if it is on this
   * machine; null without a correct response.
   */
  serviceCpu: number | null;
  databaseCpu: number | null;
  /** Documents that one command wrote, on average; null if none was written. */
  batch: number | null;
  /** The most resident memory that each replica had since its start, summed up, in MB. */
  peakMegabytes: number;
  /** CPU of the load generator, in cores. */
  loadCores: number;
}

/** What was measured at one time. */
export interface PartResults {
  /** The machine and the versions, by name. */
  environment: Record<string, string>;
  /** Length of each sample. */
  seconds: number;
  samples: Sample[];
}

/** The results of `npm run growth`; report/growth.json has this form. */
export type GrowthResults = Partial<Record<PartName, PartResults>>;
