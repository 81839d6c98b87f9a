import { numberTable } from '../common/page/page';
import { byWinner, type Verdict, verdicts } from './answer';
import type { Comparison } from './comparison';
import { capitalized, inWords, runsOf, summaryOf } from './medians';
import { roundsInWords } from './rounds';

const inSeries = (items: string[]) => new Intl.ListFormat('en').format(items);

/** Whether another experiment gives the same answer for the first ten seconds, in a sentence. */
export function agreement(comparison: Comparison, other: Comparison): string {
  const answers = verdicts(comparison);
  const others = verdicts(other);
  const isSame = ({ winner }: Verdict, i: number) => winner === answers[i]?.winner;
  const same = others.filter(isSame).map(({ load }) => load.title);
  const findings = [
    ...(same.length > 0
      ? [`for the first ten seconds, it gives the same answer under ${inSeries(same)} load`]
      : []),
    ...byWinner(others.filter((verdict, i) => !isSame(verdict, i))),
  ];
  const differences = differencesOf(comparison, other).map(({ name }) => name);
  const differing = differences.length > 0 ? `with ${differences.join(' and ')}, ` : '';
  return `Another experiment (${differing}${roundsInWords(other)}): ${findings.join('; ')}.`;
}

/** What differs in another experiment, although both are compared: its name, and what the other has instead. */
export function differencesOf(comparison: Comparison, other: Comparison) {
  const version = ({ setup }: Comparison) => `the image ${setup.image}`;
  // a faster machine needs higher ones
  const peaks = ({ loads }: Comparison) => {
    const each = loads.map(({ title, peak }) => `${title} ${peak}`);
    return `peaks of other heights (${inSeries(each)} iterations/s)`;
  };
  return [
    { name: 'another version of this service', detail: version },
    { name: 'other peaks', detail: peaks },
  ]
    .filter(({ detail }) => detail(comparison) !== detail(other))
    .map(({ name, detail }) => ({ name, detail: detail(other) }));
}

/** The p95 of the first ten seconds in both experiments. */
export function bothExperiments(comparison: Comparison, other: Comparison): string {
  const { loads, subjects } = comparison;
  const experiments = { this: comparison, other };
  const columns = loads.flatMap(({ title }) =>
    Object.keys(experiments).map((name) => ({ group: capitalized(title), name })),
  );
  const rows = subjects.map(({ name }) => [
    name,
    ...loads.flatMap((load) =>
      Object.values(experiments).map((experiment) => {
        const runs = runsOf(experiment, load, name);
        const { min, max } = summaryOf(runs, ({ measures }) => measures.p95AtFirst);
        if (runs.length === 0) return 'no run';
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
