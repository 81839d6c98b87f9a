import { facts, figures, page } from '../shared/page/page';
import type { Setup } from '../shared/setup';
import type { Knee, Step } from './knee';

export interface Tuning {
  /** ISO 8601. */
  date: string;
  k6: string;
  setup: Setup;
  settings: Record<string, string>;
  steps: Step[];
  knee: Knee;
}

/** The page of a tuning. */
export function tuneReport({ date, k6, setup, settings, steps, knee }: Tuning): string {
  const most = Math.max(...steps.map(({ throughput }) => throughput));
  const before = `
<p>One replica answers at most ${most.toFixed(0)} requests a second. ${knee.target} requests under way bring 90 % of
that; more of them mostly wait. Up to ${knee.limit}, 95 % are answered within ${settings.P95_MS} ms.</p>
<p class="soft">Each step is twice ${settings.DURATION} of so many clients that ask again as soon as they are answered:
once on the way up and once on the way down.
Measured on ${date.slice(0, 10)}.</p>`;
  const x = steps.map(({ concurrency }) => concurrency);
  const panel = (title: string, note: string, values: number[]) => ({
    ...{ title, note, x, xLabel: 'under way', xLog: true },
    range: [0, Math.max(...values) * 1.08] as [number, number],
    shade: [x[0] ?? 1, knee.target] as [number, number],
    series: [{ label: title, color: '1' as const, dots: true, values }],
  });
  const panels = [
    panel(
      'Throughput',
      'requests a second',
      steps.map(({ throughput }) => throughput),
    ),
    panel(
      'p95',
      'of the latency, milliseconds',
      steps.map(({ p95 }) => p95),
    ),
  ];
  const table = figures(
    'Steps',
    ['Under way', 'Requests/s', 'p95, ms', 'Failed'],
    steps.map(({ concurrency, throughput, p95, failed }) => [
      ...[`${concurrency}`, throughput.toFixed(0), p95.toFixed(0)],
      `${(failed * 100).toFixed(1)} %`,
    ]),
  );
  const { nodes, machine, shared } = setup;
  const after = `${table}
<h2>Where it was measured</h2>
${facts({
  Nodes: nodes.join('; '),
  'k6 ran on': machine + (shared ? ', which is a node of the cluster' : ''),
  Versions: `Kubernetes ${setup.kubernetes}, ${setup.database}, Node ${setup.node}, k6 ${k6}`,
  Image: setup.image,
  'The replica': setup.resources,
  Mix: settings.MIX ?? '',
})}`;
  return page('What one replica is good for', before, [{ name: '', columns: [{ panels }] }], after);
}
