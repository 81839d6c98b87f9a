import type { Second } from '../common/k6-samples';
import type { TestEnvironment } from '../common/test-environment';
import type { CpuUsage } from './cluster-cpu';
import type { Load } from './loads';
import type { Measures, Replicas, Times } from './measures';
import type { Settings, Subject } from './subjects';

/** The results of `npm run compare`; report/runs.json has this form, and the report is made from it. */
export interface Comparison {
  /** When it began; ISO 8601. */
  date: string;
  k6: string;
  setup: TestEnvironment;
  settings: Settings;
  loads: Load[];
  subjects: Subject[];
  /** In the order in which they were made. */
  runs: Run[];
}

/** One spike on one subject. */
export interface Run {
  load: Load['name'];
  subject: string;
  /** From 1. */
  round: number;
  /** How many attempts were discarded before it, for a reason that `flawOf` gives. */
  discarded: number;
  /** Why it does not count either, after the last attempt. */
  flaw?: string;
  times: Times;
  measures: Measures;
  cpu: CpuUsage;
  seconds: Second[];
  replicas: Replicas[];
}
