import { numberTable } from '../common/page/page';
import { type Verdict, verdicts } from './answer';
import type { Comparison } from './comparison';
import { capitalized, inWords, runsOf, summaryOf } from './medians';

/** Whether an earlier experiment gives the same answer, in a sentence. */
export function agreement(comparison: Comparison, earlier: Comparison): string {
  const now = verdicts(comparison);
  const before = verdicts(earlier);
  const isSame = ({ winner }: Verdict, i: number) => winner === now[i]?.winner;
  const same = before.filter(isSame).map(({ load }) => load.title);
  const findings = [
    ...(same.length > 0 ? [`gives the same answer under ${same.join(' and ')} load`] : []),
    ...before
      .filter((verdict, i) => !isSame(verdict, i))
      .map(
        ({ load, winner, medians }) => `finds that under ${load.title} load ${winner} (${medians})`,
      ),
  ];
  return `An earlier experiment ${findings.join('; it ')}.`;
}

/** The p95 of the first ten seconds in both experiments. */
export function bothExperiments(comparison: Comparison, earlier: Comparison): string {
  const { loads, subjects } = comparison;
  const experiments = { this: comparison, earlier };
  const columns = loads.flatMap(({ title }) =>
    Object.keys(experiments).map((name) => ({ group: capitalized(title), name })),
  );
  const rows = subjects.map(({ name }) => [
    name,
    ...loads.flatMap((load) =>
      Object.values(experiments).map((experiment) => {
        const runs = runsOf(experiment, load, name);
        const { min, max } = summaryOf(runs, ({ measures }) => measures.p95AtFirst);
        return min === max ? inWords(min) : `${inWords(min)} to ${inWords(max)}`;
      }),
    ),
  ]);
  return numberTable(
    'p95 in the first ten seconds, ms: fastest and slowest run',
    '',
    columns,
    rows,
  );
}
