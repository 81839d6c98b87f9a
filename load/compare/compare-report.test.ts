import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { perSecond } from '../common/k6-samples';
import { compareReport } from './compare-report';
import type { Comparison, Run } from './comparison';
import { measure } from './measures';
import { comparePicture } from './picture';

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
    hpa: {
      ...{ minReplicas: '2', maxReplicas: '5', averageUtilization: '70 % of the CPU request' },
      scaleUp: '{"policies":[]}',
    },
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

test('the tables have a column for each run, and "never" for what did not happen', () => {
  const html = compareReport(comparison);
  const row = (name: string) =>
    [...html.matchAll(new RegExp(`<th scope="row">${name}.*?</th>(.*?)</tr>`, 'g'))].map(
      ([, cells]) => cells?.match(/(?<=<td class="number">).*?(?=<)/g),
    );
  assert.equal(row('5th replica ready after'), [
    ['8', '8', '25', '29'],
    ['10', 'never'],
  ]);
  assert.equal(row('Requests failed')[0], ['10', '10', '10', '10']);
  assert.match(html, 'Time to the fifth:\n8 s on Knative, 25 to 29 s with the HPA');
});

test('each round is a view, with a chart for each variant in each panel', () => {
  const views = compareReport(comparison).split('<section class="view"').slice(1);
  assert.equal(
    views.map((view) => /<h3>(.*?)<\/h3>/.exec(view)?.[1]),
    ['First', 'Second', 'Reused'],
  );
  for (const view of views) {
    const charts = [...view.matchAll(/<figcaption>(.*?)<\/figcaption>/g)].map(([, title]) => title);
    assert.is(charts.length, 12);
    assert.equal([...new Set(charts)], ['Knative Service', 'Deployment with HPA']);
  }
});

test('charts of the same quantity have the same y axis', () => {
  const html = compareReport(comparison);
  const charts = [...html.matchAll(/aria-label="Replicas, [^"]*".*?<\/figure>/gs)];
  const ticks = charts.map(([chart]) =>
    [...chart.matchAll(/x="-6" y="(.*?)".*?>(.*?)</g)].map(([, y, tick]) => `${tick} at ${y}`),
  );
  assert.is(ticks.length, 6);
  assert.is(new Set(ticks.map(String)).size, 1);
  assert.is(ticks[0]?.length, 6);
});

test('the mean CPU of the replicas is a percentage of the request', () => {
  const [, json = ''] =
    /data-labels="[^"]*mean of the replicas[^"]*" data-values="(.*?)"/.exec(
      compareReport(comparison),
    ) ?? [];
  const [usage] = JSON.parse(json);
  assert.is(usage[29], null);
  assert.is(usage[30], 100);
});

test('lines in a chart have different marks, and legends show them', () => {
  const [latency = ''] = /<h4>Latency.*?<h4>/s.exec(compareReport(comparison)) ?? [];
  const [legend = ''] = /<ul class="legend">.*?<\/ul>/s.exec(latency) ?? [];
  const [plot = ''] = /<svg class="plot".*?<\/figure>/s.exec(latency) ?? [];
  const marks = ['line-1', 'line-2', 'line-3'];
  for (const text of [legend, plot]) {
    assert.equal(text.match(/line-\d/g), marks);
  }
  assert.equal(legend.match(/(?<=<\/svg> ).*?(?=<)/g), ['p50', 'p95', 'p99']);
});

test('the settings of the HPA are words', () => {
  const html = compareReport(comparison);
  assert.match(html, 'To scale up, it\nadds at most 4 pods or 100 % in 15 s, whichever is more');
  assert.match(html, '2 to 5 replicas, target 70 % of the CPU request. Up: adds at most 4 pods');
  assert.not.match(html, 'policies');
});

test('the picture has both variants in each chart, and both colour schemes', () => {
  const svg = comparePicture(comparison);
  const charts = svg.split('<svg class="plot"').slice(1);
  assert.is(charts.length, 3);
  for (const chart of charts) {
    assert.equal(chart.match(/(?<=<path class=")line-\d/g), ['line-1', 'line-2']);
  }
  assert.match(svg, '@media (prefers-color-scheme: dark)');
  assert.match(svg, '<title id="title">The same spike: Knative Service and Deployment with HPA<');
});

test('the page is self-contained and escapes its data', () => {
  const html = compareReport(comparison);
  assert.not.match(html, /\b(src|href)=|@import|url\(/);
  assert.match(html, '&lt;b>Model');
  assert.not.match(html, '<b>Model');
});

test.run();
