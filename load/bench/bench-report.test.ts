import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { barChart } from '../common/charts/bar-chart';
import { benchChart, benchRatios, benchReport } from './bench-report';
import { contenders, own, raw } from './contenders';
import type { BenchResults, Sample } from './results';

const rates = [
  { round: 1, raw: 100, own: 800 },
  { round: 2, raw: 50, own: 500 },
  { round: 3, raw: 100, own: 900 },
];

const results: BenchResults = {
  versions: { machine: 'a machine', wrk: '4.1.0' },
  rounds: 3,
  seconds: 1,
  connections: [50],
  samples: rates.flatMap(({ round, ...rate }) =>
    (['GET /time', 'GET /time?tz=…', 'POST /data', 'GET /data'] as const).flatMap((route) => [
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

test('The report has the median, minimum and maximum of the ratios taken within each round.', () => {
  assert.match(
    benchReport(results),
    `| ${own.name} | 9 (8–10) | 9 (8–10) | 9 (8–10) | 9 (8–10) | 0.13 / 0.13 / 0.13 / 0.13 | 0.013 / 0.013 / 0.013 / 0.013 | 80 / 90 |`,
  );
});

test('Ratios cover throughput, p99 and CPU time.', () => {
  const all = benchRatios(results) as Record<string, Record<string, Record<string, unknown>>>;
  assert.equal(all.rate?.[own.name]?.['POST /data'], { 50: 9 });
  assert.equal(all.cpu?.[own.name]?.['POST /data'], { 50: 0.11 });
  assert.equal(all.p99?.[raw.name]?.['GET /time'], { 50: 1 });
});

test('The picture has a bar for each contender and request, in both colour schemes.', () => {
  const chart = benchChart(results);
  assert.equal(chart.names, [raw.name, own.name]);
  assert.equal(chart.strong, [own.name]);
  assert.equal(
    chart.groups.map(({ values }) => values),
    [
      [1, 9],
      [1, 9],
      [1, 9],
      [1, 9],
    ],
  );
  const svg = barChart(chart);
  assert.is(svg.match(/<rect class="bar/g)?.length, 8);
  assert.match(svg, `<desc id="description">GET /time: ${raw.name} 1, ${own.name} 9.`);
  assert.match(svg, '@media (prefers-color-scheme: dark)');
});

test('The report lists faults.', () => {
  assert.match(benchReport(results), 'Every response was correct');
  const faults = ['Flask: 10 writes acknowledged, 9 stored'];
  assert.match(benchReport({ ...results, faults }), '- Flask: 10 writes acknowledged, 9 stored');
});

test('The names of contenders are unique.', () => {
  assert.is(new Set(contenders.map(({ name }) => name)).size, contenders.length);
});

test.run();
