import type { VariantName } from '../common/cluster';
import {
  dataTable,
  keyValueTable,
  type Panel,
  page,
  type Series,
  type View,
} from '../common/page/page';
import type { TestEnvironment } from '../common/test-environment';
import type { Comparison, Run } from './comparison';
import { type Measures, type Replicas, replicasAt } from './measures';
import type { CpuSample } from './watch-cluster';

const titles: Record<VariantName, string> = {
  knative: 'Knative Service',
  hpa: 'Deployment with HPA',
};
const variants: VariantName[] = ['knative', 'hpa'];

/** The report as an HTML page. */
export function compareReport(comparison: Comparison): string {
  const { date, setup, settings, runs } = comparison;
  const newConnections = runs.filter(({ reuse }) => !reuse);
  const reusedConnections = runs.filter(({ reuse }) => reuse);
  const before = `
<p>${summary(newConnections)}</p>
<p class="soft">Each run starts with 2 replicas of both variants and an empty collection. The load is an open model:
${settings.RATE} iterations/s for ${settings.WARM_UP}, up to ${settings.PEAK} within ${settings.RISE}, held for
${settings.HOLD}, and back to ${settings.RATE} within ${settings.FALL}. The other variant is idle meanwhile.
Measured on ${date.slice(0, 10)}.</p>
<div class="tables">
${table('New connection for each request, two runs', newConnections)}
${table('Connections reused', reusedConnections)}
</div>
<p class="soft">Times count from when the load begins to rise; “back to 2” counts from when it begins to fall.
Latency is k6's <code>http_req_duration</code> of successful requests, without the set-up of the connection.
k6 drops an iteration when all of its ${settings.VUS} VUs are waiting for a response.
Replica-seconds count each pod from when it is scheduled on a node until it is gone.</p>
<h2>Timeline</h2>
<p class="soft">In seconds from when the load begins to rise; the spike is shaded.</p>`;
  return page(
    'The same spike on Knative and on an HPA',
    before,
    views(comparison),
    after(comparison),
  );

  function table(caption: string, runs: Run[]): string {
    return dataTable(
      caption,
      ['', 'Knative', 'HPA'],
      rows.map(({ name, value }) => [
        name,
        ...variants.map((variant) =>
          runs
            .filter((run) => run.variant === variant)
            .map(({ measures }) => formatMeasure(value(measures)))
            .join(' · '),
        ),
      ]),
    );
  }

  function after({ k6 }: Comparison): string {
    const { nodes, machine, shared } = setup;
    const formatSettings = (entries: Record<string, string>) =>
      Object.entries(entries)
        .map(([key, value]) => `${key}: ${value}`)
        .join('; ');
    return `
<h2>Differences by design</h2>
<ul>
${differences(setup)
  .map((line) => `<li>${line}</li>`)
  .join('\n')}
</ul>
<h2>Test environment</h2>
${keyValueTable({
  Nodes: nodes.join('; '),
  'k6 ran on': `${machine}${shared ? ', which is a node of the cluster: k6 and the service shared its CPUs' : ''}`,
  Versions: `Kubernetes ${setup.kubernetes}, Knative ${setup.knative}, ${setup.database}, Node ${setup.node}, k6 ${k6}`,
  Image: setup.image,
  'Replica resources': setup.resources,
  Knative: formatSettings(setup.kpa),
  HPA: formatSettings(setup.hpa),
  'spike.js': formatSettings(settings),
})}`;
  }
}

const rows: { name: string; value: (measures: Measures) => number | null }[] = [
  { name: '3rd replica ready after, s', value: ({ toThird }) => toThird },
  { name: '4th replica ready after, s', value: ({ toFourth }) => toFourth },
  { name: '5th replica ready after, s', value: ({ toFifth }) => toFifth },
  { name: 'Back to 2 after, s', value: ({ backToTwo }) => backToTwo },
  { name: 'p95, first 10 s of the spike, ms', value: ({ p95AtFirst }) => p95AtFirst },
  { name: 'p95, last 20 s of the spike, ms', value: ({ p95AtLast }) => p95AtLast },
  { name: 'Requests sent', value: ({ requests }) => requests },
  { name: 'Requests failed', value: ({ failed }) => failed },
  { name: 'Iterations dropped', value: ({ dropped }) => dropped },
  { name: 'Replica-seconds', value: ({ replicaSeconds }) => replicaSeconds },
];

const formatMeasure = (value: number | null) =>
  value === null ? 'never' : Math.round(value).toLocaleString('en');

/** The most important figures in sentences. */
function summary(runs: Run[]): string {
  const of = (name: VariantName, value: (measures: Measures) => number | null, unit: string) => {
    const values = runs.filter(({ variant }) => variant === name).map((run) => value(run.measures));
    const known = values.filter((value) => value !== null).sort((a, b) => a - b);
    const ends = [
      ...new Set(
        [known.at(0), known.at(-1)].flatMap((v) => (v === undefined ? [] : formatMeasure(v))),
      ),
    ];
    const range = ends.length > 0 ? [`${ends.join(' to ')} ${unit}`] : [];
    return [...range, ...(known.length < values.length ? ['never'] : [])].join(' or ');
  };
  const both = (value: (measures: Measures) => number | null, unit: string) =>
    `${of('knative', value, unit)} on Knative, ${of('hpa', value, unit)} with the HPA`;
  return `Time to the third ready replica: ${both(({ toThird }) => toThird, 's')}. Time to the fifth:
${both(({ toFifth }) => toFifth, 's')}.
p95 latency in the first ten seconds of the spike: ${both(({ p95AtFirst }) => p95AtFirst, 'ms')}.
Cost: ${both(({ replicaSeconds }) => replicaSeconds, 'replica-seconds')}.`;
}

function differences({ kpa, hpa }: TestEnvironment): string[] {
  const panic =
    (Number.parseFloat(kpa.window ?? '') * Number(kpa['panic-window-percentage'])) / 100;
  return [
    `<b>Metric.</b> Knative scales on requests in flight, which queue-proxy counts in each pod. The HPA scales on
CPU, from metrics-server, which averages over the last seconds. (The plots show the requests in flight that k6 sees:
they include requests that wait for a connection or at the ingress and have not reached a pod.)`,
    `<b>Decisions.</b> Knative decides every 2 s, on the average of the last ${kpa.window}. When the average of the
last ${panic} s reaches ${kpa['panic-threshold-percentage']} % of the capacity of the ready replicas, it uses that one
and does not scale down until the panic is over. The HPA decides every 15 s; its policy limits scaling up to
${policy(hpa.scaleUp)}.`,
    `<b>Scaling down.</b> Knative scales down ${kpa['scale-down-delay'] ?? '0s'} after the average of the last
${kpa.window} has fallen. The HPA scales down to the highest recommendation of the last
${stabilization(hpa.scaleDown)} s; the default of Kubernetes is 300 s.`,
    `<b>Load balancing.</b> Knative's ingress chooses a replica for each request. Behind the NodePort, kube-proxy
chooses one for each connection: a reused connection stays with its pod, so new replicas get only new connections.`,
    `<b>Request path.</b> Requests to Knative pass the ingress and queue-proxy, which need CPU in addition to the
service's limit. Requests to the NodePort pass neither.`,
    `<b>Shutdown of a pod.</b> queue-proxy waits until no request has arrived for 30 s; the Deployment's pods exit
some seconds after SIGTERM. Replica-seconds count both until they are gone.`,
  ];
}

function policy(behavior = '{}'): string {
  const { policies = [] } = JSON.parse(behavior);
  return policies
    .map(
      ({ type, value, periodSeconds }: { type: string; value: number; periodSeconds: number }) =>
        `${value}${type === 'Percent' ? ' %' : ' pods'} in ${periodSeconds} s`,
    )
    .join(', ');
}

const stabilization = (behavior = '{}') => JSON.parse(behavior).stabilizationWindowSeconds ?? 300;

/** A view for each round; all have the same y axes. */
function views({ runs, setup }: Comparison): View[] {
  const rounds = [...new Set(runs.map(({ round }) => round))];
  const all = runs.map((run) => panels(run, setup));
  // one range for each kind of panel
  const ranges = all[0]?.map((_, i): [number, number] => {
    const kind = all.map((panels) => panels[i] as Panel);
    const values = kind.flatMap(({ series }) => series.flatMap(({ values }) => values));
    const known = values.filter((value) => value !== null && value > 0) as number[];
    const max = known.reduce((a, b) => Math.max(a, b), 0) || 1;
    const min = known.reduce((a, b) => Math.min(a, b), max);
    const power = (value: number, round: (n: number) => number) => 10 ** round(Math.log10(value));
    return kind[0]?.log ? [power(min, Math.floor), power(max, Math.ceil)] : [0, max * 1.08];
  });
  return rounds.map((name) => ({
    name: name[0]?.toUpperCase() + name.slice(1),
    columns: variants.map((variant) => ({
      title: titles[variant],
      panels: runs.flatMap((run, i) =>
        run.round === name && run.variant === variant
          ? (all[i] ?? []).map((panel, k) => ({ ...panel, range: ranges?.[k] ?? panel.range }))
          : [],
      ),
    })),
  }));
}

function panels({ variant, times, seconds, replicas, cpu }: Run, setup: TestEnvironment): Panel[] {
  const { begin, spike, fall } = times;
  const at = (moment: number) => Math.round((moment - begin) / 1000);
  const x = seconds.map((_, i) => i - at(spike));
  const each = replicasAt(replicas, begin, seconds.length);
  const panel = (title: string, note: string, series: Series[], log = false): Panel => ({
    ...{ title, note, xLabel: 's', x, range: [0, 1], log, series },
    shade: [0, at(fall) - at(spike)],
  });
  const line = (label: string, color: Series['color'], values: (number | null)[], more = {}) => ({
    ...{ label, color, values },
    ...more,
  });
  const stepped = { steps: true };
  const dashed = { steps: true, dash: true };
  const { target = '100', 'target-utilization-percentage': percent = '70' } = setup.kpa;
  const perReplica = (Number(target) * Number(percent)) / 100;
  const usage = cpuAt(cpu, each, setup.cpuRequest);
  const targets = {
    knative: line(
      'target',
      '3',
      each.map(({ ready }) => ready * perReplica),
      dashed,
    ),
    hpa: line(
      'target',
      '3',
      usage.map(() => Number.parseFloat(setup.hpa.averageUtilization ?? '')),
      dashed,
    ),
  };
  return [
    panel('Arrivals', 'requests/s', [
      line(
        'requests/s',
        '1',
        seconds.map(({ arrivals }) => arrivals),
      ),
    ]),
    panel('Replicas', '', [
      line(
        'ready',
        '1',
        each.map(({ ready }) => ready),
        stepped,
      ),
      line(
        'desired',
        '2',
        each.map(({ desired }) => desired),
        dashed,
      ),
      line(
        'occupying a node',
        '3',
        each.map(({ pods }) => pods),
        dashed,
      ),
    ]),
    panel(
      'Latency',
      'ms, logarithmic; of the successful requests sent in that second',
      [
        line(
          'p50',
          '1',
          seconds.map(({ p50 }) => p50),
        ),
        line(
          'p95',
          '2',
          seconds.map(({ p95 }) => p95),
        ),
        line(
          'p99',
          '3',
          seconds.map(({ p99 }) => p99),
        ),
      ],
      true,
    ),
    panel('Failures', 'per second', [
      line(
        'requests failed',
        '1',
        seconds.map(({ failed }) => failed),
      ),
      line(
        'iterations dropped',
        '2',
        seconds.map(({ dropped }) => dropped),
      ),
    ]),
    panel('Requests in flight', 'as seen by k6: rate × mean latency', [
      line(
        'requests',
        '1',
        seconds.map(({ concurrency }) => concurrency),
      ),
      ...(variant === 'knative' ? [targets.knative] : []),
    ]),
    panel("CPU of the service's containers", '% of the CPU request, from metrics-server', [
      line('mean of the replicas', '1', usage, stepped),
      ...(variant === 'hpa' ? [targets.hpa] : []),
    ]),
  ];
}

/**
 * The mean CPU usage of the pods, in % of the CPU request: of each pod the latest sample within the last
 * 30 s; null when there is none.
 */
function cpuAt(cpu: CpuSample[], each: Replicas[], request: number): (number | null)[] {
  const service = cpu.filter(({ container }) => container === 'functions');
  return each.map(({ at: now }) => {
    const recent = service.filter(({ at }) => at <= now && at > now - 30_000);
    const latest = new Map(recent.map(({ pod, millicores }) => [pod, millicores]));
    if (latest.size === 0) return null;
    return ([...latest.values()].reduce((a, b) => a + b) / latest.size / request) * 100;
  });
}
