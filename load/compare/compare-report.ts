import type { Series } from '../common/charts/line-chart';
import type { VariantName } from '../common/cluster';
import { definitions, numberTable, type Panel, page, type View } from '../common/page/page';
import type { TestEnvironment } from '../common/test-environment';
import type { Comparison, Run } from './comparison';
import { behaviorInWords } from './hpa-behavior';
import { type Measures, type Replicas, replicasAt } from './measures';
import type { CpuSample } from './watch-cluster';

export const titles: Record<VariantName, string> = {
  knative: 'Knative Service',
  hpa: 'Deployment with HPA',
};
const shortTitles: Record<VariantName, string> = { knative: 'Knative', hpa: 'HPA' };
export const variants: VariantName[] = ['knative', 'hpa'];

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
    const inOrder = variants.flatMap((variant) => runs.filter((run) => run.variant === variant));
    const isOneRound = new Set(runs.map(({ round }) => round)).size === 1;
    const columns = inOrder.map(({ variant, round }) =>
      isOneRound
        ? { name: shortTitles[variant] }
        : { group: shortTitles[variant], name: round.replace(/ run$/, '') },
    );
    return numberTable(
      caption,
      '',
      columns,
      rows.map(({ name, value }) => [
        name,
        ...inOrder.map(({ measures }) => formatMeasure(value(measures))),
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
${definitions({
  Nodes: nodes.join('; '),
  'k6 ran on': `${machine}${shared ? ', which is a node of the cluster: k6 and the service shared its CPUs' : ''}`,
  Versions: `Kubernetes ${setup.kubernetes}, Knative ${setup.knative}, ${setup.database}, Node ${setup.node}, k6 ${k6}`,
  Image: setup.image,
  'Replica resources': setup.resources,
  Knative: formatSettings(setup.kpa),
  HPA: hpaInWords(setup.hpa),
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
CPU, from metrics-server, which averages over the last seconds. (The charts show the requests in flight that k6 sees:
they include requests that wait for a connection or at the ingress and have not reached a pod.)`,
    `<b>Decisions.</b> Knative decides every 2 s, on the average of the last ${kpa.window}. When the average of the
last ${panic} s reaches ${kpa['panic-threshold-percentage']} % of the capacity of the ready replicas, it uses that one
and does not scale down until the panic is over. The HPA decides every 15 s. To scale up, it
${behaviorInWords('up', hpa.scaleUp)}.`,
    `<b>Scaling down.</b> Knative scales down ${kpa['scale-down-delay'] ?? '0s'} after the average of the last
${kpa.window} has fallen. To scale down, the HPA
${behaviorInWords('down', hpa.scaleDown)}; by default Kubernetes looks back 300 s.`,
    `<b>Load balancing.</b> Knative's ingress chooses a replica for each request. Behind the NodePort, kube-proxy
chooses one for each connection: a reused connection stays with its pod, so new replicas get only new connections.`,
    `<b>Request path.</b> Requests to Knative pass the ingress and queue-proxy, which need CPU in addition to the
service's limit. Requests to the NodePort pass neither.`,
    `<b>Shutdown of a pod.</b> queue-proxy waits until no request has arrived for 30 s; the Deployment's pods exit
some seconds after SIGTERM. Replica-seconds count both until they are gone.`,
  ];
}

function hpaInWords({
  minReplicas,
  maxReplicas,
  averageUtilization,
  scaleUp,
  scaleDown,
}: TestEnvironment['hpa']) {
  return `${minReplicas} to ${maxReplicas} replicas, target ${averageUtilization}. Up: ${behaviorInWords('up', scaleUp)}. Down: ${behaviorInWords('down', scaleDown)}.`;
}

/** A view for each round. */
function views({ runs, setup }: Comparison): View[] {
  const rounds = [...new Set(runs.map(({ round }) => round))];
  return rounds.map((round) => {
    const ofRound = variants.flatMap((variant) =>
      runs.filter((run) => run.round === round && run.variant === variant),
    );
    return {
      name: round[0]?.toUpperCase() + round.slice(1),
      ...timeline(ofRound[0] as Run),
      panels: panels.map(({ series, ...panel }) => ({
        ...panel,
        charts: ofRound.map((run) => ({ title: titles[run.variant], series: series(run, setup) })),
      })),
    };
  });
}

/** The x axis: seconds from when the load begins to rise. */
export function timeline({ times, seconds }: Run) {
  const { begin, spike, fall } = times;
  const at = (moment: number) => Math.round((moment - begin) / 1000);
  return {
    x: seconds.map((_, i) => i - at(spike)),
    unit: 's',
    shade: [0, at(fall) - at(spike)] as [number, number],
  };
}

const panels: (Omit<Panel, 'charts'> & {
  series(run: Run, setup: TestEnvironment): Series[];
})[] = [
  {
    title: 'Arrivals',
    note: 'requests/s',
    series: ({ seconds }) => [line(1, 'requests/s', seconds, ({ arrivals }) => arrivals)],
  },
  {
    title: 'Replicas',
    series: (run) => {
      const each = replicasAt(run.replicas, run.times.begin, run.seconds.length);
      return [
        { ...line(1, 'ready', each, ({ ready }) => ready), steps: true },
        { ...line(2, 'desired', each, ({ desired }) => desired), steps: true },
        { ...line(3, 'occupying a node', each, ({ pods }) => pods), steps: true, mark: 'area' },
      ];
    },
  },
  {
    title: 'Latency',
    note: 'ms, logarithmic; of the successful requests sent in that second',
    log: true,
    series: ({ seconds }) => [
      line(1, 'p50', seconds, ({ p50 }) => p50),
      line(2, 'p95', seconds, ({ p95 }) => p95),
      line(3, 'p99', seconds, ({ p99 }) => p99),
    ],
  },
  {
    title: 'Failures',
    note: 'per second',
    series: ({ seconds }) => [
      line(1, 'requests failed', seconds, ({ failed }) => failed),
      line(2, 'iterations dropped', seconds, ({ dropped }) => dropped),
    ],
  },
  {
    title: 'Requests in flight',
    note: 'as seen by k6: rate × mean latency',
    series: ({ variant, seconds, replicas, times }, { kpa }) => {
      const each = replicasAt(replicas, times.begin, seconds.length);
      const { target = '100', 'target-utilization-percentage': percent = '70' } = kpa;
      const perReplica = (Number(target) * Number(percent)) / 100;
      const goal = line(3, 'target', each, ({ ready }) => ready * perReplica);
      return [
        line(1, 'requests', seconds, ({ concurrency }) => concurrency),
        ...(variant === 'knative' ? [{ ...goal, steps: true }] : []),
      ];
    },
  },
  {
    title: "CPU of the service's containers",
    note: '% of the CPU request, from metrics-server',
    series: ({ variant, seconds, replicas, times, cpu }, { cpuRequest, hpa }) => {
      const each = replicasAt(replicas, times.begin, seconds.length);
      const usage = cpuAt(cpu, each, cpuRequest);
      const goal = Number.parseFloat(hpa.averageUtilization ?? '');
      return [
        { ...line(1, 'mean of the replicas', usage, (value) => value), steps: true },
        ...(variant === 'hpa' ? [line(3, 'target', usage, () => goal)] : []),
      ];
    },
  },
];

function line<T>(
  style: 1 | 2 | 3,
  label: string,
  items: T[],
  value: (item: T) => number | null,
): Series {
  return { label, mark: `line-${style}`, values: items.map(value) };
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
