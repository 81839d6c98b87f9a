import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answersOf } from './answer';
import { growthMarkdown } from './growth-markdown';
import { growthPage } from './growth-page';
import { tablesOf } from './growth-tables';
import { parts } from './parts';
import type { PartResults, Sample } from './results';

/** Samples of all replicas and loads, twice, on one database. */
function replicas(database: string, of: (x: number, load: string) => Partial<Sample>): Sample[] {
  const { values, pointAt } = parts.replicas;
  return [...values, ...values.toReversed()].flatMap((x) =>
    pointAt(x).loads.map(({ name: load }) => ({
      ...{ database, load, x, rate: 1000, failed: 0, p95: 10, serviceCpu: 200, databaseCpu: 100 },
      ...{ batch: 20, peakMegabytes: 90, loadCores: 0.1, ...of(x, load) },
    })),
  );
}

const partOf = (samples: Sample[]): PartResults => ({ environment: {}, seconds: 3, samples });

test('the answer says whether five replicas store more, and from which load on they are slower', () => {
  const [same, worse, better] = answersOf(
    partOf([
      ...replicas('A', () => ({})),
      ...replicas('B', (x, load) => ({
        rate: 1000 / x,
        batch: 20 / x,
        p95: load === '100 posts/s' ? 10 : 10 * x,
      })),
      ...replicas('C', (x, load) => ({
        rate: 1000 * x,
        p95: load === '500 posts/s' ? 10 * x : 10,
      })),
    ]),
  );
  assert.match(same ?? '', 'On A, five replicas store about as much as one');
  assert.match(same ?? '', 'Up to 1,500 posts/s, their p95 is not higher each time.');
  assert.match(worse ?? '', 'On B, five replicas store less than one');
  assert.match(
    worse ?? '',
    '0.2 times as many posts per second at saturation, 4 per commit instead of 20',
  );
  assert.match(worse ?? '', 'From 500 posts/s on, their p95 is higher: 50 ms instead of 10 ms.');
  assert.match(better ?? '', 'On C, five replicas store more than one');
  assert.not.match(better ?? '', 'From 500 posts/s on');
});

test('the answer is unclear where the measurements disagree', () => {
  let n = 0;
  const rate = (x: number) => (x === 5 && n++ < 4 ? 2000 : 1000);
  const [answer] = answersOf(partOf(replicas('A', (x) => ({ rate: rate(x) }))));
  assert.match(answer ?? '', 'On A, it is unclear whether five replicas store more than one');
});

test('a table has the median of the rounds, for each database, and says what is unknown', () => {
  let n = 0;
  const samples = [
    ...replicas('A', (x) => ({ p95: x === 1 ? (n++ < 4 ? 10 : 30) : 50 })),
    ...replicas('B', (x) => ({ databaseCpu: null, p95: x === 10 ? null : 10 })),
  ];
  const [table] = tablesOf('replicas', partOf(samples));
  assert.equal(table?.header.slice(0, 3), ['replicas', 'requests/s', 'p95, ms']);
  const cells = ['1', '1000 / 1000', '20 / 10', '200 / 200', '100 / unknown', '20 / 20', '90 / 90'];
  assert.equal(table?.rows[0], cells);
  assert.is(table?.rows[3]?.[2], '50 / unknown');
  assert.equal(
    table?.rows.map(([x]) => x),
    ['1', '2', '5', '10'],
  );
});

test('the report is also made from some of the parts', () => {
  const results = { replicas: partOf(replicas('<A>', () => ({}))) };
  assert.match(growthPage(results), '&lt;A>');
  assert.not.match(growthPage(results), '<A>');
  assert.match(growthMarkdown(results), '## Replicas');
  assert.not.match(growthMarkdown(results), '## Page size');
  assert.not.match(growthMarkdown({}), 'undefined');
});

test.run();
