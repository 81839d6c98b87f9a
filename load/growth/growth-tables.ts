import { formatNumber } from '../common/markdown';
import { summarize } from '../common/statistics';
import { type PartName, parts } from './parts';
import type { PartResults, Sample } from './results';

/** A table of one load; each cell has the figures of all databases. */
export interface Table {
  caption: string;
  header: string[];
  /** Each begins with the value of what the part varies. */
  rows: string[][];
}

/** A figure of a sample that the report shows. */
export type Metric =
  | 'rate'
  | 'p95'
  | 'serviceCpu'
  | 'databaseCpu'
  | 'batch'
  | 'peakMegabytes'
  | 'failed';

/** Their names, with units. */
export const columns: Record<Metric, string> = {
  rate: 'requests/s',
  p95: 'p95, ms',
  serviceCpu: 'service CPU, ms',
  databaseCpu: 'database CPU, ms',
  batch: 'posts per commit',
  peakMegabytes: 'peak memory, MB',
  failed: 'failed',
};

/** The tables of a part, one for each load. */
export function tablesOf(name: PartName, { samples }: PartResults): Table[] {
  const { title, variable, values } = parts[name];
  const loads = namesOf(samples, 'load');
  return loads.map((load) => {
    const ofLoad = samples.filter((sample) => sample.load === load);
    const says = {
      batch: ofLoad.some(({ batch }) => batch !== null),
      failed: ofLoad.some(({ failed }) => failed > 0),
    };
    const metrics = (Object.keys(columns) as Metric[]).filter(
      (metric) => says[metric as keyof typeof says] ?? true,
    );
    const cell = (x: number, metric: Metric) =>
      namesOf(ofLoad, 'database')
        .map((database) => medianOf(ofLoad, { database, x }, metric))
        .map((value) => (value === null ? 'unknown' : formatNumber(value, 3)))
        .join(' / ');
    return {
      caption: `${title}: ${load}`,
      header: [variable, ...metrics.map((metric) => columns[metric])],
      rows: values.map((x) => [`${x}`, ...metrics.map((metric) => cell(x, metric))]),
    };
  });
}

/** The names that samples have, each once, in their order. */
export function namesOf(samples: Sample[], kind: 'database' | 'load'): string[] {
  return [...new Set(samples.map((sample) => sample[kind]))];
}

/** The median of a metric over the samples with these values; null if it is unknown. */
export function medianOf(
  samples: Sample[],
  wanted: Partial<Pick<Sample, 'database' | 'load' | 'x'>>,
  metric: Metric,
): number | null {
  const keys = Object.keys(wanted) as (keyof typeof wanted)[];
  const numbers = samples
    .filter((sample) => keys.every((key) => sample[key] === wanted[key]))
    .flatMap((sample) => sample[metric] ?? []);
  return numbers.length === 0 ? null : summarize(numbers).median;
}
