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
  const at = (x: number, metric: 'rate' | 'batch' | 'p95', load = saturation) =>
    medianOf(samples, { load, x }, metric) ?? Number.NaN;
  const [one, five] = [at(1, 'rate'), at(5, 'rate')];
  const verdict =
    five > one * tolerance
      ? 'a fifth replica helps'
      : five * tolerance < one
        ? 'a fifth replica does not help but harm'
        : 'a fifth replica changes little';
  const number = (value: number) => formatNumber(value, 2);
  const rates = `five store ${number(five / one)} times as many posts per second as one, ${number(at(5, 'batch'))} per commit instead of ${number(at(1, 'batch'))}`;
  return `On ${database}, ${verdict}: at saturation ${rates}. ${latencies()}`;

  function latencies(): string {
    const constant = namesOf(samples, 'load').filter((load) => load !== saturation);
    const slower = constant.find((load) => at(5, 'p95', load) > at(1, 'p95', load) * tolerance);
    if (!slower) return `Up to ${constant.at(-1)}, their p95 is not higher.`;
    const p95 = (x: number) => `${number(at(x, 'p95', slower))} ms`;
    return `From ${slower} on, their p95 is higher: ${p95(5)} instead of ${p95(1)}.`;
  }
}
