import { formatNumber } from '../common/markdown';
import { medianOf, namesOf } from './growth-tables';
import { saturation } from './parts';
import type { PartResults, Sample } from './results';

/** Differences below a tenth are not told from chance. */
const tolerance = 1.1;

/** Says for each database, in a sentence or two, whether five replicas do better than one. */
export function answersOf({ samples }: PartResults): string[] {
  return namesOf(samples, 'database').map((database) =>
    answerFor(
      samples.filter((sample) => sample.database === database),
      database,
    ),
  );
}

function answerFor(samples: Sample[], database: string): string {
  const number = (value: number) => formatNumber(value, 2);
  const median = (x: number, metric: 'rate' | 'batch' | 'p95', load = saturation) =>
    medianOf(samples, { load, x }, metric) ?? Number.NaN;
  const rate = number(median(5, 'rate') / median(1, 'rate'));
  const rates = `${rate} times as many posts per second at saturation, ${number(median(5, 'batch'))} per commit instead of ${number(median(1, 'batch'))}`;
  return `On ${database}, ${verdict(ratios(samples, 'rate', saturation))}: ${rates}. ${latencies()}`;

  function latencies(): string {
    const constant = namesOf(samples, 'load').filter((load) => load !== saturation);
    const isSlower = (load: string) => Math.min(...ratios(samples, 'p95', load)) > tolerance;
    const slower = constant.find((_, i) => constant.slice(i).every(isSlower));
    if (!slower) return `Up to ${constant.at(-1)}, their p95 is not higher each time.`;
    const p95 = (x: number) => `${number(median(x, 'p95', slower))} ms`;
    return `From ${slower} on, their p95 is higher: ${p95(5)} instead of ${p95(1)}.`;
  }
}

/**
 * What five replicas have for each that one has, in each of the times that they were measured. Latency
 * without a correct response counts as infinite.
 */
function ratios(samples: Sample[], metric: 'rate' | 'p95', load: string): number[] {
  const of = (x: number) =>
    samples
      .filter((sample) => sample.x === x && sample.load === load)
      .map((sample) => sample[metric] ?? Number.POSITIVE_INFINITY);
  const one = of(1);
  return of(5).map((five, i) => five / (one[i] ?? Number.NaN));
}

function verdict(ratios: number[]): string {
  const [min, max] = [Math.min(...ratios), Math.max(...ratios)];
  if (min > tolerance) return 'five replicas store more than one';
  if (max < 1 / tolerance) return 'five replicas store less than one';
  if (min > 1 / tolerance && max < tolerance) return 'five replicas store about as much as one';
  return 'it is unclear whether five replicas store more than one, as the measurements disagree';
}
