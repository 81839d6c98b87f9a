import { definitions, numberTable, page } from '../common/page/page';
import type { TestEnvironment } from '../common/test-environment';
import type { Knee, Step } from './knee';

/** The results of `npm run tune`; report/tune.json has this form. */
export interface Tuning {
  /** ISO 8601. */
  date: string;
  k6: string;
  setup: TestEnvironment;
  settings: Record<string, string>;
  steps: Step[];
  knee: Knee;
}

/** The report as an HTML page. */
export function tuneReport({ date, k6, setup, settings, steps, knee }: Tuning): string {
  const highest = Math.max(...steps.map(({ throughput }) => throughput));
  const before = `
<p>The highest throughput of one replica is ${highest.toFixed(0)} requests/s. ${knee.target} requests in flight reach 90 %
of it; above that, requests mostly wait. Up to ${knee.limit} in flight, p95 stays within ${settings.P95_MS} ms.</p>
<p class="soft">A closed model: each client sends its next request when the response to the last one has arrived. Each
concurrency ran twice for ${settings.DURATION}, once while it was raised and once while it was lowered; the figures
are the means. Measured on ${date.slice(0, 10)}.</p>
<h2>Throughput and latency</h2>
<p class="soft">The range up to the target is shaded.</p>`;
  const x = steps.map(({ concurrency }) => concurrency);
  const panel = (title: string, note: string, values: number[]) => ({
    ...{ title, note },
    charts: [
      {
        title: 'One replica',
        series: [{ label: title, mark: 'line-1' as const, dots: true, values }],
      },
    ],
  });
  const panels = [
    panel(
      'Throughput',
      'requests/s',
      steps.map(({ throughput }) => throughput),
    ),
    panel(
      'p95',
      'latency, ms',
      steps.map(({ p95 }) => p95),
    ),
  ];
  const view = {
    name: 'By requests in flight',
    x,
    unit: '',
    logX: true,
    shade: [x[0] ?? 1, knee.target] as [number, number],
    panels,
  };
  const table = numberTable(
    'Steps',
    'In flight',
    ['Requests/s', 'p95, ms', 'Failed, %'].map((name) => ({ name })),
    steps.map(({ concurrency, throughput, p95, failed }) => [
      ...[`${concurrency}`, throughput.toFixed(0), p95.toFixed(0)],
      (failed * 100).toFixed(1),
    ]),
  );
  const { nodes, machine, shared } = setup;
  const after = `${table}
<h2>Test environment</h2>
${definitions({
  Nodes: nodes.join('; '),
  'k6 ran on': machine + (shared ? ', which is a node of the cluster' : ''),
  Versions: `Kubernetes ${setup.kubernetes}, ${setup.database}, Node ${setup.node}, k6 ${k6}`,
  Image: setup.image,
  'Replica resources': setup.resources,
  Mix: settings.MIX ?? '',
})}`;
  return page('Throughput of one replica', before, [view], after);
}
