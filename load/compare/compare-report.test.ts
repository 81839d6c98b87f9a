import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { perSecond } from '../common/k6-samples';
import { compareReport } from './compare-report';
import type { Comparison, Run } from './comparison';
import { measure } from './measures';

const test = suite('report');

const times = { begin: 1_000_000, spike: 1_020_000, fall: 1_050_000, end: 1_100_000 };
const samples = {
  requests: Array.from({ length: 1000 }, (_, i) => ({
    ...{ start: times.begin + i * 100, duration: 20 + (i % 10), answered: i % 100 > 0 },
  })),
  dropped: [1_030_000],
};

function run(variant: Run['variant'], round: string, fifthAfter: number): Run {
  const replicas = [
    { at: times.begin, desired: 2, ready: 2, pods: 2 },
    { at: times.spike + fifthAfter * 1000, desired: 5, ready: 5, pods: 5 },
  ];
  return {
    ...{ variant, round, reuse: round === 'reused', times, replicas },
    measures: measure(samples, replicas, times),
    seconds: perSecond(samples, times.begin, 100),
    cpu: [
      { at: 1_030_000, window: '15s', pod: 'a', container: 'functions', millicores: 300 },
      { at: 1_030_000, window: '15s', pod: 'b', container: 'functions', millicores: 100 },
      { at: 1_030_000, window: '15s', pod: 'a', container: 'queue-proxy', millicores: 50 },
    ],
  };
}

const comparison: Comparison = {
  date: '2026-01-02T03:04:05.678Z',
  k6: 'v1.2.3',
  setup: {
    nodes: ['4 CPUs, 16.0 GiB'],
    machine: '4 CPUs, 16.0 GiB (<b>Model</b>)',
    shared: true,
    kubernetes: 'v1.34.0',
    knative: '1.21.0',
    database: 'MongoDB 8.0.0',
    node: 'v24.0.0',
    image: 'functions:v1',
    resources: 'requests 200m and 250Mi, limits 500m and 500Mi',
    cpuRequest: 200,
    kpa: { window: '60s', 'panic-window-percentage': '10', 'panic-threshold-percentage': '200' },
    hpa: { averageUtilization: '70 % of the CPU request', scaleUp: '{"policies":[]}' },
  },
  settings: { RATE: '20', PEAK: '400', WARM_UP: '20s', RISE: '5s', HOLD: '25s', FALL: '5s' },
  runs: [
    run('knative', 'first', 8),
    run('hpa', 'first', 25),
    run('hpa', 'second', 29),
    run('knative', 'second', 8),
    run('knative', 'reused', 10),
    run('hpa', 'reused', 90),
  ],
};

test('the table has both runs of both variants, and "never" for what did not happen', () => {
  const html = compareReport(comparison);
  const row = (name: string) =>
    [...html.matchAll(new RegExp(`<th scope="row">${name}.*?</th>(.*?)</tr>`, 'g'))].map(
      ([, cells]) => cells?.match(/(?<=<td>).*?(?=<)/g),
    );
  assert.equal(row('5th replica ready after'), [
    ['8 · 8', '25 · 29'],
    ['10', 'never'],
  ]);
  assert.equal(row('Requests failed')[0], ['10 · 10', '10 · 10']);
  assert.match(html, 'Time to the fifth:\n8 s on Knative, 25 to 29 s with the HPA');
});

test('each round is a view of both variants, and all views have the same axes', () => {
  const [, json = ''] = /const views = (.*);/.exec(compareReport(comparison)) ?? [];
  const views = JSON.parse(json);
  assert.equal(
    views.map(({ name }: { name: string }) => name),
    ['First', 'Second', 'Reused'],
  );
  const ranges = views.flatMap(({ columns }: { columns: { panels: { range: number[] }[] }[] }) =>
    columns.map(({ panels }) => JSON.stringify(panels.map(({ range }) => range))),
  );
  assert.is(ranges.length, 6);
  assert.is(new Set(ranges).size, 1);
  assert.equal(JSON.parse(ranges[0])[1], [0, 5 * 1.08]);
  const [cpu] = views[0].columns[0].panels[5].series;
  assert.is(cpu.values[29], null);
  assert.is(cpu.values[30], 100);
});

test('the page is self-contained and escapes its data', () => {
  const html = compareReport(comparison);
  assert.not.match(html, /\b(src|href)=|@import|url\(/);
  assert.match(html, '&lt;b>Model');
  assert.not.match(html, '<b>Model');
});

test.run();
