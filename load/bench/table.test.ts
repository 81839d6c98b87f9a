import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { contenders, own, raw } from './contenders';
import type { Report, Sample } from './measurements';
import { markdown, plot, ratios, rounded } from './table';

const rates = [
  { round: 1, raw: 100, own: 800 },
  { round: 2, raw: 50, own: 500 },
  { round: 3, raw: 100, own: 900 },
];

const report: Report = {
  versions: { machine: 'a machine', wrk: '4.1.0' },
  rounds: 3,
  seconds: 1,
  connections: [50],
  samples: rates.flatMap(({ round, ...rate }) =>
    (['GET /time', 'POST /data', 'GET /data'] as const).flatMap((route) => [
      sample(round, raw.name, route, rate.raw),
      sample(round, own.name, route, rate.own),
    ]),
  ),
  faults: [],
};

function sample(round: number, contender: string, route: Sample['route'], rate: number): Sample {
  return {
    round,
    contender,
    route,
    connections: 50,
    rate,
    p50: 1,
    p99: 100 / rate,
    cpuPerThousand: 10 / rate,
    residentMegabytes: 80,
    peakMegabytes: 90,
    loadCores: 0.5,
  };
}

test('A ratio is taken within each round; the median of them counts, with the least and the most.', () => {
  assert.match(
    markdown(report),
    `| ${own.name} | 9 (8–10) | 9 (8–10) | 9 (8–10) | 0.13 / 0.13 / 0.13 | 0.013 / 0.013 / 0.013 | 80 / 90 |`,
  );
});

test('The ratios are those of the rate, the p99 and the CPU time per answer.', () => {
  const all = ratios(report) as Record<string, Record<string, Record<string, unknown>>>;
  assert.equal(all.rate?.[own.name]?.['POST /data'], { 50: 9 });
  assert.equal(all.cpu?.[own.name]?.['POST /data'], { 50: 0.11 });
  assert.equal(all.p99?.[raw.name]?.['GET /time'], { 50: 1 });
});

test('The plot has one bar a contender for each request.', () => {
  const { contenders: names, series } = plot(report);
  assert.equal(names, [raw.name, own.name]);
  assert.equal(
    series.map(({ values }) => values),
    [
      [1, 9],
      [1, 9],
      [1, 9],
    ],
  );
});

test('What went wrong stands in the report.', () => {
  assert.match(markdown(report), 'Every answer was right');
  const faults = ['Flask: 10 writes acknowledged, 9 stored'];
  assert.match(markdown({ ...report, faults }), '- Flask: 10 writes acknowledged, 9 stored');
});

test('Numbers have as many digits as are told, and no exponent.', () => {
  assert.is(rounded(21_904, 3), '21900');
  assert.is(rounded(0.000_216, 2), '0.00022');
});

test('No two contenders have the same name.', () => {
  assert.is(new Set(contenders.map(({ name }) => name)).size, contenders.length);
});

test.run();
