import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareReport } from './compare-report';
import type { Comparison, Run } from './comparison';
import { chooseLoads } from './loads';
import { measure, type Replicas } from './measures';
import { comparePicture } from './picture';
import { inOrder } from './results';
import { intendedPerSecond, stagesOf } from './stages';
import { chooseSubjects, type Subject } from './subjects';
import { flawOf } from './validity';

const test = suite('report');

const times = { begin: 1_000_000, spike: 1_008_000, fall: 1_053_000, end: 1_060_000 };
const settings = { cpu: { request: 60, limit: 150 }, peersImage: 'peers:1', rounds: 3, seed: 7 };
const loads = chooseLoads(150, { LOADS: 'cpu,waiting' });
const subjects = chooseSubjects(settings);

function run(load: Run['load'], { name, platform, software }: Subject, round: number): Run {
  const isOwn = software === 'this service';
  const latency = (platform === 'knative' ? 20 : 40) + round;
  const samples = {
    requests: Array.from({ length: 600 }, (_, i) => ({
      ...{ start: times.begin + i * 100, duration: latency, answered: isOwn || i % 100 > 0 },
    })),
    iterations: [],
    dropped: [],
  };
  const fifthAfter = platform === 'knative' ? 6 : null;
  const replicas = [
    { at: times.begin, desired: 2, ready: 2, pods: 2 },
    ...(fifthAfter ? [{ at: times.spike + fifthAfter * 1000, desired: 5, ready: 5, pods: 5 }] : []),
  ];
  const [chosen] = loads;
  const intended = chosen ? intendedPerSecond(stagesOf(chosen)) : [];
  return {
    ...{ load, subject: name, round, discarded: 0, times, replicas },
    measures: measure(samples, intended, replicas, times),
    cpu: { pods: 1, generator: 0.25 },
    seconds: Array.from({ length: 60 }, () => ({
      ...{ arrivals: 10, failed: 0, dropped: 0 },
      ...{ p50: latency, p95: latency, p99: latency },
    })),
  };
}

const comparison: Comparison = {
  date: '2026-01-02T03:04:05.678Z',
  k6: 'v1.2.3',
  setup: {
    nodes: ['2 CPUs, 16.0 GiB'],
    machine: '2 CPUs, 16.0 GiB (<b>Model</b>)',
    shared: true,
    kubernetes: 'v1.34.0',
    knative: '1.21.0',
    database: 'MongoDB 8.0.0',
    node: 'v24.0.0',
    image: 'functions:v1',
    resources: 'requests 200m and 250Mi, limits 500m and 500Mi',
    ...{ cpus: 2, cpuLimit: 500 },
    kpa: { window: '60s', 'panic-window-percentage': '10', 'panic-threshold-percentage': '200' },
    hpa: {
      ...{ minReplicas: '2', maxReplicas: '5', averageUtilization: '70 % of the CPU request' },
      scaleUp: '{"policies":[]}',
    },
  },
  ...{ settings, loads, subjects },
  runs: [1, 2, 3].flatMap((round) =>
    loads.flatMap(({ name }) => subjects.map((subject) => run(name, subject, round))),
  ),
};

test('the answer comes first, in words and medians', () => {
  const html = compareReport(comparison);
  const [answer = ''] = /<p>.*?<\/p>/s.exec(html) ?? [];
  assert.match(
    answer,
    'Knative is faster under CPU-bound load (p95 22 ms on Knative, 42 ms with the HPA) and',
  );
  assert.match(answer, 'CPU-bound 6 and never, waiting 6 and never');
  assert.match(
    answer,
    'This service failed 0 of 18,000 requests, the peers 144 of 14,400 requests.',
  );
});

test('an autoscaler is faster only if each of its runs is', () => {
  const runs = comparison.runs.map((run) =>
    run.subject === 'HPA' && run.load === 'cpu' && run.round === 1
      ? { ...run, measures: { ...run.measures, p95AtFirst: 23 } }
      : run,
  );
  const html = compareReport({ ...comparison, runs });
  assert.match(html, 'neither is clearly faster under CPU-bound load');
  assert.match(html, 'Knative is faster under waiting load');
  const one = runs.filter(({ load, subject }) => load === 'cpu' && subject === 'HPA').slice(0, 1);
  const few = compareReport({ ...comparison, runs: one });
  assert.match(
    few,
    'too few runs tell which is faster under CPU-bound load (p95 – ms on Knative, 23 ms',
  );
  assert.match(few, '0 rounds of 3, and 1 of the 18 runs of the next');
});

test('the tables have a row for each subject, and "never" for what did not happen', () => {
  const html = compareReport(comparison);
  const row = (name: string) =>
    [...html.matchAll(new RegExp(`<th scope="row">${name}</th>(.*?)</tr>`, 'g'))].map(([, cells]) =>
      cells?.match(/(?<=<td class="number">).*?(?=<)/g),
    );
  const [cells] = row('HPA');
  assert.is(row('HPA').length, loads.length);
  assert.is(cells?.[0], '3');
  assert.equal(cells?.slice(3, 9), ['0', '600', '0', '42', '42', '42']);
  assert.equal(cells?.slice(10), ['never', 'never', '2', '120', '63']);
});

test('all runs are shown as dots, and those that do not count are named', () => {
  assert.is(compareReport(comparison).match(/<circle class="dot/g)?.length, 3 * 54 - 24);
  assert.match(compareReport(comparison), 'All that are shown count.');
  const [first, ...others] = comparison.runs as [Run, ...Run[]];
  const runs = [{ ...first, flaw: '97.0 % sent on time', discarded: 2 }, ...others];
  const html = compareReport({ ...comparison, runs });
  assert.match(html, '2 were discarded. 1 of those shown does not count');
  assert.match(html, 'cpu, Knative, round 1 (97.0 % sent on time)');
});

test('another experiment is compared, answer by answer', () => {
  const runs = comparison.runs.map((run) =>
    run.subject === 'HPA' && run.load === 'waiting' && run.round === 2
      ? { ...run, measures: { ...run.measures, p95AtFirst: 10 } }
      : run,
  );
  const other = { ...comparison, runs, settings: { ...settings, seed: 6 } };
  const html = compareReport(comparison, other);
  assert.match(
    html,
    'Another experiment (3 rounds): for the first ten seconds, it gives the same answer under CPU-bound load;' +
      ' neither is clearly faster under waiting load (p95 22 ms on Knative, 41 ms with the HPA).',
  );
  const [, rows = ''] = /<h2>Does it repeat\?<\/h2>.*?<tbody>(.*?)<\/tbody>/s.exec(html) ?? [];
  const hpa = /<th scope="row">HPA<\/th>(.*?)<\/tr>/.exec(rows)?.[1] ?? '';
  assert.equal(
    [...hpa.matchAll(/<td.*?>(.*?)<\/td>/g)].map(([, cell]) => cell),
    ['41 to 43', '41 to 43', '41 to 43', '10 to 43'],
  );
  assert.match(html, '3 rounds\n(seed 6)');
  assert.not.match(compareReport(comparison), 'nother experiment');
});

test('the experiment with more runs is shown first, and the last one of two that have as many', () => {
  const earlier = { ...comparison, settings: { ...settings, seed: 6 } };
  const begun = { ...comparison, runs: comparison.runs.slice(0, 20) };
  assert.equal(inOrder(comparison, earlier), [comparison, earlier]);
  assert.equal(inOrder(begun, earlier), [earlier, begun]);
  assert.match(
    compareReport(earlier, begun),
    'Another experiment (one round of 3, and 2 of the 18 runs of the next): ',
  );
  const onlyCpu = { ...earlier, runs: comparison.runs.filter(({ load }) => load === 'cpu') };
  assert.match(compareReport(comparison, onlyCpu), '<td class="number">no run</td>');
});

test('experiments of different setups are not compared', () => {
  const elsewhere = { ...comparison, setup: { ...comparison.setup, kubernetes: 'v1.30.0' } };
  assert.equal(inOrder(comparison, elsewhere), [comparison]);
  assert.equal(inOrder(comparison), [comparison]);
});

test('experiments with different versions of this service are compared, and the report says so', () => {
  const earlier = { ...comparison, setup: { ...comparison.setup, image: 'functions:v0' } };
  assert.equal(inOrder(comparison, earlier), [comparison, earlier]);
  const html = compareReport(comparison, earlier);
  assert.match(html, 'Another experiment (with another version of this service, 3 rounds): ');
  assert.match(html, 'with the same setup but the image functions:v0, in another order');
});

test('experiments with peaks of different heights are compared, and the report says so', () => {
  const higher = { ...comparison, loads: chooseLoads(300, { LOADS: 'cpu,waiting' }) };
  const otherMix = { ...comparison, loads: loads.map((load) => ({ ...load, mix: '1:1:1' })) };
  assert.equal(inOrder(comparison, higher), [comparison, higher]);
  assert.equal(inOrder(comparison, otherMix), [comparison]);
  const html = compareReport(comparison, higher);
  assert.match(html, 'Another experiment (with other peaks, 3 rounds): ');
  assert.match(
    html,
    'the same setup but peaks of other heights (CPU-bound 600 and waiting 60 iterations/s), in another',
  );
});

test('a run counts when it began with two replicas, was sent on time, and CPU was left', () => {
  const [first] = comparison.runs as [Run];
  const flaw = (sent: number, pods: number, stolen?: number, atFirst: Partial<Replicas> = {}) =>
    flawOf(
      {
        measures: { ...first.measures, intended: 1000, sent },
        cpu: { pods, generator: 0.5, ...(stolen && { stolen }) },
        replicas: [{ ...(first.replicas[0] as Replicas), ...atFirst }],
      },
      2,
    );
  assert.is(flaw(990, 1.1), undefined);
  assert.is(flaw(989, 1.1), '98.9 % sent on time');
  assert.is(flaw(990, 1.12), '81 % of the CPU used');
  assert.is(flaw(990, Number.NaN), 'the CPU in use is unknown');
  assert.is(flaw(990, 1.1, 0.1), undefined);
  assert.is(flaw(990, 1.1, 0.12), '12 % of the CPU taken by the hypervisor');
  assert.is(flaw(990, 1.1, 0, { desired: 5 }), '5 replicas at the start');
  assert.is(flaw(990, 1.1, 0, { pods: 4 }), '4 replicas at the start');
});

test('no autoscaler is called faster from too few runs', () => {
  const one = { ...comparison, runs: comparison.runs.filter(({ round }) => round === 1) };
  assert.match(
    compareReport(one),
    'In the first ten seconds of a spike too few runs tell which is faster under CPU-bound load',
  );
});

test('each load is a view, with charts of each software on each platform', () => {
  const views = compareReport(comparison).split('<section class="view"').slice(1);
  assert.equal(
    views.map((view) => /<h3>(.*?)<\/h3>/.exec(view)?.[1]),
    ['CPU-bound', 'Waiting'],
  );
  for (const view of views) {
    const charts = [...view.matchAll(/<figcaption>(.*?)<\/figcaption>/g)].map(([, title]) => title);
    assert.is(charts.length, 4 * 6);
    assert.ok(charts.includes('functions-framework, HPA'));
  }
});

test('the settings of the HPA are words', () => {
  const html = compareReport(comparison);
  assert.match(html, '2 to 5 replicas, target 70 % of the CPU request. Up: adds at most 4 pods');
  assert.not.match(html, 'policies');
});

test('the picture has a plot for each load, and both colour schemes', () => {
  const svg = comparePicture(comparison);
  assert.is(svg.match(/<circle/g)?.length, comparison.runs.length);
  assert.match(svg, '@media (prefers-color-scheme: dark)');
  assert.match(svg, 'Waiting: Knative 22');
});

test('the page is self-contained and escapes its data', () => {
  const html = compareReport(comparison);
  assert.not.match(html, /\b(src|href)=|@import|url\(/);
  assert.match(html, '&lt;b>Model');
  assert.not.match(html, '<b>Model');
});

test.run();
