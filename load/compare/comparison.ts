import type { Name } from '../shared/cluster';
import type { Second } from '../shared/k6-samples';
import type { Setup } from '../shared/setup';
import type { Measures, Replicas, Times } from './measures';
import type { Cpu } from './watch';

/** All that was seen: what is kept beside the report, and what the report is made of. */
export interface Comparison {
  /** ISO 8601. */
  date: string;
  k6: string;
  setup: Setup;
  /** Of spike.js. */
  settings: Record<string, string>;
  runs: Run[];
}

/** One spike on one variant. */
export interface Run {
  variant: Name;
  /** Runs on both variants with the same name are seen together. */
  round: string;
  /** Whether k6 kept its connections from one request to the next. */
  reuse: boolean;
  times: Times;
  measures: Measures;
  seconds: Second[];
  replicas: Replicas[];
  cpu: Cpu[];
}
