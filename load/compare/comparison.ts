import type { VariantName } from '../common/cluster';
import type { Second } from '../common/k6-samples';
import type { TestEnvironment } from '../common/test-environment';
import type { Measures, Replicas, Times } from './measures';
import type { CpuSample } from './watch-cluster';

/** The results of `npm run compare`; report/samples.json has this form, and the report is made from it. */
export interface Comparison {
  /** ISO 8601. */
  date: string;
  k6: string;
  setup: TestEnvironment;
  /** The settings of spike.js. */
  settings: Record<string, string>;
  runs: Run[];
}

/** One spike on one variant. */
export interface Run {
  variant: VariantName;
  /** The report shows the runs of a round, one on each variant, side by side. */
  round: string;
  /** Whether k6 reused connections. */
  reuse: boolean;
  times: Times;
  measures: Measures;
  seconds: Second[];
  replicas: Replicas[];
  cpu: CpuSample[];
}
