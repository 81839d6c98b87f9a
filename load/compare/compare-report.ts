import type { Name } from '../shared/cluster';
import { facts, figures, type Panel, page, type Series, type View } from '../shared/page/page';
import type { Setup } from '../shared/setup';
import type { Comparison, Run } from './comparison';
import { type Measures, type Replicas, replicasAt } from './measures';
import type { Cpu } from './watch';

const titles: Record<Name, string> = { knative: 'Knative Service', hpa: 'Deployment with HPA' };
const variants: Name[] = ['knative', 'hpa'];

/** The page of a comparison. */
export function report(comparison: Comparison): string {
  const { date, setup, settings, runs } = comparison;
  const fresh = runs.filter(({ reuse }) => !reuse);
  const kept = runs.filter(({ reuse }) => reuse);
  const before = `
<p>${lead(fresh)}</p>
<p class="soft">Each run begins with 2 replicas of both variants, an empty collection and ${settings.WARM_UP} of
${settings.RATE} iterations a second, which rise within ${settings.RISE} to ${settings.PEAK}, stay so for
${settings.HOLD}, and are ${settings.RATE} again ${settings.FALL} later. The other variant idles meanwhile.
Measured on ${date.slice(0, 10)}.</p>
<div class="tables">
${table('Each request on a new connection, two runs', fresh)}
${table('Connections reused', kept)}
</div>
<p class="soft">The times are from when the load begins to rise, that back to 2 from when it begins to fall.
Latency is k6's <code>http_req_duration</code>: of the requests that were answered, without the set-up of the
connection. Iterations are dropped when all ${settings.VUS} clients of k6 wait for an answer.
A replica is paid for from when its pod is given a node until it is gone.</p>
<h2>What happened when</h2>
<p class="soft">In seconds from when the load begins to rise; the spike is shaded.</p>`;
  return page(
    'The same spike on Knative and on an HPA',
    before,
    views(comparison),
    after(comparison),
  );

  function table(caption: string, runs: Run[]): string {
    const of = (name: Name) => runs.filter(({ variant }) => variant === name);
    return figures(
      caption,
      ['', 'Knative', 'HPA'],
      rows.map(({ name, value }) => [
        name,
        ...variants.map((variant) =>
          of(variant)
            .map(({ measures }) => told(value(measures)))
            .join(' · '),
        ),
      ]),
    );
  }

  function after({ k6 }: Comparison): string {
    const { nodes, machine, shared } = setup;
    const listed = (entries: Record<string, string>) =>
      Object.entries(entries)
        .map(([key, value]) => `${key}: ${value}`)
        .join('; ');
    return `
<h2>What differs by design</h2>
<ul>
${differences(setup)
  .map((line) => `<li>${line}</li>`)
  .join('\n')}
</ul>
<h2>Where and how it was measured</h2>
${facts({
  Nodes: nodes.join('; '),
  'k6 ran on': `${machine}${shared ? ', which is a node of the cluster: what k6 took, the service did not have' : ''}`,
  Versions: `Kubernetes ${setup.kubernetes}, Knative ${setup.knative}, ${setup.database}, Node ${setup.node}, k6 ${k6}`,
  Image: setup.image,
  'A replica': setup.resources,
  Knative: listed(setup.kpa),
  HPA: listed(setup.hpa),
  'spike.js': listed(settings),
})}`;
  }
}

const rows: { name: string; value: (measures: Measures) => number | null }[] = [
  { name: '3rd replica ready after, s', value: ({ toThird }) => toThird },
  { name: '4th replica, s', value: ({ toFourth }) => toFourth },
  { name: '5th replica, s', value: ({ toFifth }) => toFifth },
  { name: 'Back to 2 after, s', value: ({ backToTwo }) => backToTwo },
  { name: 'p95, first 10 s of the spike, ms', value: ({ p95AtFirst }) => p95AtFirst },
  { name: 'p95, its last 20 s, ms', value: ({ p95AtLast }) => p95AtLast },
  { name: 'Requests sent', value: ({ requests }) => requests },
  { name: 'Requests failed', value: ({ failed }) => failed },
  { name: 'Iterations dropped', value: ({ dropped }) => dropped },
  { name: 'Replica-seconds paid', value: ({ replicaSeconds }) => replicaSeconds },
];

const told = (value: number | null) =>
  value === null ? 'never' : Math.round(value).toLocaleString('en');

/** What the table says, in sentences. */
function lead(runs: Run[]): string {
  const of = (name: Name, value: (measures: Measures) => number | null, unit: string) => {
    const values = runs.filter(({ variant }) => variant === name).map((run) => value(run.measures));
    const known = values.filter((value) => value !== null).sort((a, b) => a - b);
    const ends = [
      ...new Set([known.at(0), known.at(-1)].flatMap((v) => (v === undefined ? [] : told(v)))),
    ];
    const range = ends.length > 0 ? [`${ends.join(' to ')} ${unit}`] : [];
    return [...range, ...(known.length < values.length ? ['never'] : [])].join(' or ');
  };
  const both = (value: (measures: Measures) => number | null, unit: string) =>
    `${of('knative', value, unit)} on Knative, ${of('hpa', value, unit)} with the HPA`;
  return `From the rise of the load to the third ready replica: ${both(({ toThird }) => toThird, 's')};
to the fifth: ${both(({ toFifth }) => toFifth, 's')}.
The 95th percentile of the latency in the first ten seconds: ${both(({ p95AtFirst }) => p95AtFirst, 'ms')}.
Paid for it: ${both(({ replicaSeconds }) => replicaSeconds, 'replica-seconds')}.`;
}

function differences({ kpa, hpa }: Setup): string[] {
  const panic =
    (Number.parseFloat(kpa.window ?? '') * Number(kpa['panic-window-percentage'])) / 100;
  return [
    `<b>What they look at.</b> Knative: the requests under way, which a proxy in each pod counts. The HPA:
CPU, as metrics-server read it, which is the mean of some seconds that have passed. (The requests under way
in the plots are those of k6: what waits for a connection or in the ingress is among them, but in no pod.)`,
    `<b>How often.</b> Knative decides every 2 s by the mean of ${kpa.window}, but by that of ${panic} s once it
is ${kpa['panic-threshold-percentage']} % of what the ready replicas are for (“panic”; until it ends, none is taken
away). The HPA decides every 15 s, and by how much it may change is its policy: up ${policy(hpa.scaleUp)}.`,
    `<b>The way back.</b> Knative: when the mean of ${kpa.window} has fallen, and
${kpa['scale-down-delay'] ?? '0s'} later. The HPA: to the most that it wanted in the last
${stabilization(hpa.scaleDown)} s; Kubernetes' own default is 300 s.`,
    `<b>Who chooses the replica.</b> For Knative the ingress, for every request. For the NodePort kube-proxy, for
every connection: one that is reused stays with its pod, so that new replicas get only what comes on new ones.`,
    `<b>What is on the way.</b> Requests to Knative pass its ingress and the proxy in the pod, which take CPU of
their own beside the service's limit. A NodePort has neither.`,
    `<b>How a pod ends.</b> Knative's proxy waits until no request has come for 30 s; the Deployment's pods end
some seconds after they are told to. Both are paid for until then.`,
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

/** A view a round, with the same axes in all. */
function views({ runs, setup }: Comparison): View[] {
  const rounds = [...new Set(runs.map(({ round }) => round))];
  const all = runs.map((run) => panels(run, setup));
  // the same for each kind of panel in all runs
  const ranges = all[0]?.map((_, i): [number, number] => {
    const kind = all.map((panels) => panels[i] as Panel);
    const values = kind.flatMap(({ series }) => series.flatMap(({ values }) => values));
    const known = values.filter((value) => value !== null && value > 0) as number[];
    const most = known.reduce((a, b) => Math.max(a, b), 0) || 1;
    const least = known.reduce((a, b) => Math.min(a, b), most);
    const power = (value: number, round: (n: number) => number) => 10 ** round(Math.log10(value));
    return kind[0]?.log ? [power(least, Math.floor), power(most, Math.ceil)] : [0, most * 1.08];
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

function panels({ variant, times, seconds, replicas, cpu }: Run, setup: Setup): Panel[] {
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
  const steps = { steps: true };
  const aim = { steps: true, dash: true };
  const { target = '100', 'target-utilization-percentage': percent = '70' } = setup.kpa;
  const perReplica = (Number(target) * Number(percent)) / 100;
  const usage = cpuAt(cpu, each, setup.cpuRequest);
  const aims = {
    knative: line(
      'what they are for',
      '3',
      each.map(({ ready }) => ready * perReplica),
      aim,
    ),
    hpa: line(
      'target',
      '3',
      usage.map(() => Number.parseFloat(setup.hpa.averageUtilization ?? '')),
      aim,
    ),
  };
  return [
    panel('Requests sent', 'a second', [
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
        steps,
      ),
      line(
        'wanted',
        '2',
        each.map(({ desired }) => desired),
        { ...steps, dash: true },
      ),
      line(
        'paid',
        '3',
        each.map(({ pods }) => pods),
        { ...steps, dash: true },
      ),
    ]),
    panel(
      'Latency',
      'milliseconds, logarithmic; of the requests sent in that second and answered',
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
    panel('Failures', 'a second', [
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
    panel('Requests under way', 'derived from k6: rate × mean latency', [
      line(
        'requests',
        '1',
        seconds.map(({ concurrency }) => concurrency),
      ),
      ...(variant === 'knative' ? [aims.knative] : []),
    ]),
    panel("CPU of the service's containers", '% of the request, as metrics-server read it', [
      line('mean of the replicas', '1', usage, steps),
      ...(variant === 'hpa' ? [aims.hpa] : []),
    ]),
  ];
}

/** The mean over the pods of what was last read of each in the last half minute, in % of the request. */
function cpuAt(cpu: Cpu[], each: Replicas[], request: number): (number | null)[] {
  const service = cpu.filter(({ container }) => container === 'functions');
  return each.map(({ at: now }) => {
    const recent = service.filter(({ at }) => at <= now && at > now - 30_000);
    const latest = new Map(recent.map(({ pod, millicores }) => [pod, millicores]));
    if (latest.size === 0) return null;
    return ([...latest.values()].reduce((a, b) => a + b) / latest.size / request) * 100;
  });
}
