import { escapeText } from '../common/charts/svg';
import type { LoadKind } from '../common/loads';
import { definitions, numberTable, page } from '../common/page/page';
import type { TestEnvironment } from '../common/test-environment';
import { type Knee, lowestOf, type Step } from './knee';

/** What one replica did under one kind of load. */
export interface LoadTuning extends LoadKind {
  steps: Step[];
  knee: Knee;
}

/** The results of `npm run tune`; report/tune.json has this form. */
export interface Tuning {
  /** ISO 8601. */
  date: string;
  k6: string;
  setup: TestEnvironment;
  settings: Record<string, string>;
  /** All with the same concurrencies. */
  loads: LoadTuning[];
}

const marks = ['line-1', 'line-2', 'line-3'] as const;

/** The report as an HTML page. */
export function tuneReport({ date, k6, setup, settings, loads }: Tuning): string {
  const { target } = lowestOf(loads.map(({ knee }) => knee));
  const before = `
<ul>
${loads.map((load) => `<li>${summary(load, settings.P95_MS ?? '')}</li>`).join('\n')}
</ul>
${loads.length > 1 ? `<p>A target of ${target} suits all of them: more would make requests wait where they need CPU.</p>` : ''}
<p class="soft">A closed model: each client sends its next request when the response to the last one has arrived. Each
concurrency ran twice for ${settings.DURATION}, once while it was raised and once while it was lowered; the figures
are the means. Measured on ${date.slice(0, 10)}.</p>
<h2>Throughput and latency of one replica</h2>
<p class="soft">The range up to a target of ${target} is shaded.</p>`;
  const x = loads[0]?.steps.map(({ concurrency }) => concurrency) ?? [];
  const panel = (
    title: string,
    note: string,
    log: boolean,
    of: (load: LoadTuning) => (number | null)[],
  ) => ({
    ...{ title, note, log },
    charts: [
      {
        title: 'One replica',
        series: loads.map((load, i) => ({
          ...{ label: load.title, mark: marks[i] ?? 'line-1', dots: true, values: of(load) },
        })),
      },
    ],
  });
  const panels = [
    panel('Throughput', '% of the highest', false, (load) =>
      load.steps.map(({ throughput }) => (100 * throughput) / highestOf(load)),
    ),
    panel('p95', 'latency, ms', true, ({ steps }) => steps.map(({ p95 }) => p95)),
  ];
  const view = {
    ...{ name: 'By requests in flight', x, unit: '', logX: true },
    ...{ shade: [x[0] ?? 1, target] as [number, number], panels },
  };
  const { nodes, machine, shared } = setup;
  const after = `${loads.map(table).join('\n')}
<h2>Test environment</h2>
${definitions({
  Nodes: nodes.join('; '),
  'k6 ran on': machine + (shared ? ', which is a node of the cluster' : ''),
  Versions: `Kubernetes ${setup.kubernetes}, ${setup.database}, Node ${setup.node}, k6 ${k6}`,
  Image: setup.image,
  'Replica resources': setup.resources,
})}`;
  return page('What one replica handles', before, [view], after);
}

function summary(load: LoadTuning, maxP95: string): string {
  const { title, description, knee } = load;
  const latency = knee.limit
    ? `Up to ${knee.limit} in flight, p95 stays within ${maxP95} ms.`
    : `There, p95 is above ${maxP95} ms already.`;
  return `<b>${escapeText(title)}</b> (${escapeText(description)}): at most ${highestOf(load).toFixed(0)} requests/s.
${knee.target} in flight reach 90 % of it. ${latency}`;
}

function table({ title, steps }: LoadTuning): string {
  return numberTable(
    title,
    'In flight',
    ['Requests/s', 'p95, ms', 'Failed, %'].map((name) => ({ name })),
    steps.map(({ concurrency, throughput, p95, failed }) => [
      ...[`${concurrency}`, throughput.toFixed(0), p95?.toFixed(0) ?? '–'],
      (failed * 100).toFixed(1),
    ]),
  );
}

const highestOf = ({ steps }: LoadTuning) => Math.max(...steps.map(({ throughput }) => throughput));
