import { dotPlot, dotPlotHeight, dotPlotWidth } from '../common/charts/dot-plot';
import type { Series } from '../common/charts/line-chart';
import { escapeText } from '../common/charts/svg';
import { definitions, numberTable, type Panel, page, type View } from '../common/page/page';
import { sum } from '../common/statistics';
import { agreement, bothExperiments, differencesOf } from './agreement';
import { answer, leastRuns } from './answer';
import type { Comparison, Run } from './comparison';
import { plotsOf } from './dot-plots';
import { behaviorInWords } from './hpa-behavior';
import type { Load } from './loads';
import { replicasAt } from './measures';
import { capitalized, inWords, medianOf, runsOf, type Value } from './medians';
import { roundsInWords } from './rounds';
import {
  cpuShare,
  highestCpuShare,
  highestStolenShare,
  leastSentShare,
  replicasAtFirst,
} from './validity';

/**
 * The report as an HTML page: the answer, what it is taken from, and what would change it.
 *
 * @param other an experiment with the same setup and kinds of load, perhaps with another version of this
 *   service or other peaks
 */
export function compareReport(comparison: Comparison, other?: Comparison): string {
  const { date, loads, runs, settings } = comparison;
  const discarded = sum(runs.map((run) => run.discarded));
  const flawed = runs.filter(({ flaw }) => flaw);
  const before = `
<p>${escapeText(answer(comparison))}${other ? ` ${escapeText(agreement(comparison, other))}` : ''}</p>
<p class="soft">Each run begins with two replicas that are a minute old and an empty collection, and lasts a minute. It is an
open model, and each iteration is a new client: within three seconds the load rises to its peak, stays for 42 s, and falls
again. ${capitalized(roundsInWords(comparison))}, in a random order (seed ${settings.seed}). Measured from ${date.slice(0, 10)} on.</p>
${plots('p95 in the first ten seconds, ms', ({ measures }) => measures.p95AtFirst)}
${plots('Third replica ready, s after the load begins to rise', ({ measures }) => measures.toThird)}
${plots('Replica-seconds in the minute', ({ measures }) => measures.replicaSeconds)}
${loads.map((load) => table(comparison, load)).join('\n')}
<p class="soft">Medians of the runs that count. Iterations are intended, sent or dropped; requests, of which an iteration has
one or two, are answered or failed. Sent means begun within 100 ms after they were due. Latency includes the time to connect;
a failed request counts as slower than all others. Slow seconds are those of the spike with a p95 above 500 ms.
Replica-seconds count each pod from when it is scheduled on a node until seven seconds after the load began to fall; what
replicas cost after that is not measured. CPU is that of all pods and k6 during the spike, as a share of the nodes'.</p>
<p class="soft"><b>How much is noise.</b> Two pairs can't differ within a minute: Knative with a burst capacity of -1 and as
deployed, where it is more than five replicas are for, so that the activator is always in the path; and the HPA with either
behavior, which both allow five replicas at once. What differs as little as these does not differ. One autoscaler is called
faster than the other only if all runs of its pair were, and if each pair has at least ${inWords(leastRuns)}.</p>
<p class="soft">A run counts if at least ${100 * leastSentShare} % of its iterations were sent on time, and at most ${100 * highestCpuShare} % of the
CPU was used${stolenInWords(runs)}. It also has to begin with ${replicasAtFirst} replicas, as an HPA may have
added some while they started. Otherwise it was repeated, twice at most: ${discarded} were discarded. ${flawedInWords(flawed)}</p>
${other ? repetition(comparison, other) : ''}
<h2>Timeline</h2>
<p class="soft">The first round, in seconds from when the load begins to rise; the spike is shaded.</p>`;
  return page(
    'Which autoscaler? The same spikes on Knative and on an HPA',
    before,
    loads.map((load) => view(comparison, load)),
    after(comparison),
  );

  function plots(title: string, value: Value): string {
    const { plots, scale } = plotsOf(comparison, value);
    const drawn = plots.map((plot) => {
      const label = plot.rows.map(({ name, median }) => `${name} ${median ?? 'never'}`).join(', ');
      const height = dotPlotHeight(plot);
      return `<svg class="dots" role="img" aria-label="${escapeText(`${title}, ${plot.title}: ${label}`)}" viewBox="0 0 ${dotPlotWidth} ${height}" width="${dotPlotWidth}">
${dotPlot(plot, scale)}
</svg>`;
    });
    return `<h2>${escapeText(title)}</h2>\n<div class="plots">${drawn.join('\n')}</div>`;
  }
}

/** Earlier results lack it. */
function stolenInWords(runs: Run[]): string {
  const known = runs.filter(({ cpu }) => cpu.stolen !== undefined).length;
  if (known === 0) return '';
  const which = known === runs.length ? '' : ` (known for ${known} of the ${runs.length} runs)`;
  return `, and the hypervisor gave at most ${100 * highestStolenShare} % of it to others${which}`;
}

const flawedInWords = (flawed: Run[]) =>
  flawed.length === 0
    ? 'All that are shown count.'
    : `${flawed.length} of those shown ${flawed.length === 1 ? 'does' : 'do'} not count, as the last attempt failed, too: ${flawed
        .map(({ load, subject, round, flaw }) => `${load}, ${subject}, round ${round} (${flaw})`)
        .map(escapeText)
        .join('; ')}.`;

function repetition(comparison: Comparison, other: Comparison): string {
  const { date, settings } = other;
  const differences = differencesOf(comparison, other).map(({ detail }) => detail);
  const differing = differences.length > 0 ? ` but ${differences.join(' and ')}` : '';
  return `<h2>Does it repeat?</h2>
<p class="soft">The other experiment was measured from ${date.slice(0, 10)} on, with the same setup${escapeText(differing)}, in another order: ${roundsInWords(other)}
(seed ${settings.seed}). ${haveSameLoads(comparison, other) ? cpuOfBoth(comparison, other) : ''}</p>
${bothExperiments(comparison, other)}`;
}

const haveSameLoads = (one: Comparison, other: Comparison) =>
  JSON.stringify(one.loads) === JSON.stringify(other.loads);

function cpuOfBoth(comparison: Comparison, other: Comparison): string {
  const medianCpu = ({ runs, setup: { cpus } }: Comparison) =>
    inWords(medianOf(runs, ({ cpu }) => 100 * cpuShare(cpu, cpus)));
  return `Its runs used ${medianCpu(other)} % of the CPU, those above ${medianCpu(comparison)} % (medians): where the same load takes less,
the machine was faster or less busy.`;
}

const columns: { name: string; value(run: Run, cpus: number): number | null }[] = [
  { name: 'Intended', value: ({ measures }) => measures.intended },
  { name: 'Sent', value: ({ measures }) => measures.sent },
  { name: 'Dropped', value: ({ measures }) => measures.dropped },
  { name: 'Answered', value: ({ measures }) => measures.answered },
  { name: 'Failed', value: ({ measures }) => measures.failed },
  { name: 'p95 first 10 s, ms', value: ({ measures }) => measures.p95AtFirst },
  { name: 'p95, ms', value: ({ measures }) => measures.p95 },
  { name: 'Slowest, ms', value: ({ measures }) => measures.max },
  { name: 'Slow seconds', value: ({ measures }) => measures.slowSeconds },
  { name: '3rd after, s', value: ({ measures }) => measures.toThird },
  { name: '5th after, s', value: ({ measures }) => measures.toFifth },
  { name: 'Most replicas', value: ({ measures }) => measures.mostReplicas },
  { name: 'Replica-seconds', value: ({ measures }) => measures.replicaSeconds },
  { name: 'CPU, %', value: ({ cpu }, cpus) => 100 * cpuShare(cpu, cpus) },
];

function table(comparison: Comparison, load: Load): string {
  const { cpus } = comparison.setup;
  const rows = comparison.subjects.flatMap(({ name }) => {
    const runs = runsOf(comparison, load, name);
    const medians = columns.map(({ value }) => inWords(medianOf(runs, (run) => value(run, cpus))));
    return [[name, `${runs.length}`, ...medians]];
  });
  const caption = `${capitalized(load.title)}: ${load.description}; ${load.rate} to ${load.peak} iterations/s`;
  return numberTable(caption, '', [{ name: 'Runs' }, ...columns], rows);
}

/** Charts of the first round under a load, of each software on each platform. */
function view(comparison: Comparison, load: Load): View {
  const shown = comparison.subjects
    .filter(({ annotations, defaultBehavior }) => !annotations && !defaultBehavior)
    .flatMap(({ name }) => runsOf(comparison, load, name).slice(0, 1));
  const { begin = 0, spike = 0, fall = 0 } = shown[0]?.times ?? {};
  const second = (at: number) => Math.round((at - begin) / 1000);
  return {
    name: capitalized(load.title),
    x: (shown[0]?.seconds ?? []).map((_, i) => i - second(spike)),
    unit: 's',
    shade: [0, second(fall) - second(spike)],
    panels: panels.map(({ series, ...panel }) => ({
      ...panel,
      charts: shown.map((run) => ({ title: run.subject, series: series(run) })),
    })),
  };
}

const panels: (Omit<Panel, 'charts'> & { series(run: Run): Series[] })[] = [
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
];

function line<T>(
  style: 1 | 2 | 3,
  label: string,
  items: T[],
  value: (item: T) => number | null,
): Series {
  return { label, mark: `line-${style}`, values: items.map(value) };
}

function after(comparison: Comparison): string {
  const { k6, setup, settings, loads, runs } = comparison;
  const { nodes, machine, shared, kpa, hpa, resources } = setup;
  const allRuns = loads.map((load) => {
    const ofLoad = runs.filter((run) => run.load === load.name);
    const rows = ofLoad.map((run) => [
      `${run.subject}, round ${run.round}${run.flaw ? ' (does not count)' : ''}`,
      ...columns.map(({ value }) => inWords(value(run, setup.cpus) ?? Number.POSITIVE_INFINITY)),
    ]);
    return numberTable(`${capitalized(load.title)}, by round, in random order`, '', columns, rows);
  });
  return `
<h2>What would change the answer</h2>
<ul>
${changes.map((change) => `<li>${change}</li>`).join('\n')}
</ul>
<h2>How the two decide</h2>
<ul>
${decisions(comparison)
  .map((line) => `<li>${line}</li>`)
  .join('\n')}
</ul>
<details>
<summary>All runs</summary>
${allRuns.join('\n')}
</details>
<h2>Test environment</h2>
${definitions({
  Nodes: nodes.join('; '),
  'k6 ran on': `${machine}${shared ? ', which is a node of the cluster: k6 and the service shared its CPUs' : ''}`,
  Versions: `Kubernetes ${setup.kubernetes}, Knative ${setup.knative}, ${setup.database}, Node ${setup.node}, k6 ${k6}`,
  Image: setup.image,
  ...(settings.peersImage && {
    Peers: `${settings.peersImage.replace(/^.*\//, '')}: a plain function with MongoDB's driver, which opens up to 100 connections, and with writes as durable as this service's. They commit each post and run each query by themselves, log no requests, and are ready when they respond, whether or not they have reached MongoDB.`,
  }),
  'Replica resources': settings.cpu
    ? `CPU: requests ${settings.cpu.request}m, limits ${settings.cpu.limit}m, so that five replicas and all else fit on this machine; otherwise as in the manifests (${resources})`
    : resources,
  Knative: Object.entries(kpa)
    .map(([key, value]) => `${key}: ${value}`)
    .join('; '),
  HPA: `${hpa.minReplicas} to ${hpa.maxReplicas} replicas, target ${hpa.averageUtilization}. Up: ${behaviorInWords('up', hpa.scaleUp)}. Down: ${behaviorInWords('down', hpa.scaleDown)}.`,
})}`;
}

const changes = [
  `<b>The cost of a request.</b> An HPA sees CPU only. The cheaper a request, the later it acts; and a request that waits
for something else costs it nothing.`,
  `<b>The Deployment behind an ingress.</b> Here k6 reaches its pods directly, by a NodePort, and Knative's through the
ingress, sometimes the activator, and queue-proxy, which cost CPU of their own.`,
  `<b>More nodes.</b> On one node, everything shares its CPUs, and a new pod needs no image and no node. Where a node has to be
added first, neither autoscaler is fast.`,
  `<b>Slower starts.</b> With a smaller CPU limit a replica takes longer to start, under either autoscaler.`,
  `<b>Clients that keep their connections.</b> kube-proxy chooses a replica for each connection, so behind the NodePort
replicas that are added get nothing from clients that stay connected. Knative's ingress chooses one for each request.`,
  `<b>Other targets.</b> A lower target acts earlier and costs more. An HPA can also scale on requests in flight, with a
metrics adapter and the service's own metrics.`,
  `<b>Zero replicas.</b> Both keep two replicas here. Only Knative can go to zero, which costs a cold start.`,
];

function decisions({ setup: { kpa, hpa } }: Comparison): string[] {
  const panic =
    (Number.parseFloat(kpa.window ?? '') * Number(kpa['panic-window-percentage'])) / 100;
  return [
    `<b>Metric.</b> Knative scales on requests in flight, which queue-proxy counts in each pod, and the activator where it
is in the path. The HPA scales on CPU, from metrics-server, which averages over the last seconds.`,
    `<b>Decisions.</b> Knative decides every 2 s, on the average of the last ${kpa.window}. When the average of the
last ${panic} s reaches ${kpa['panic-threshold-percentage']} % of the capacity of the ready replicas, it uses that one
and does not scale down until the panic is over. Its target is the same for replicas of any CPU: it was not scaled with
them. The HPA decides every 15 s. To scale up, it
${behaviorInWords('up', hpa.scaleUp)}; by default ${behaviorInWords('up')}.`,
    `<b>Phase.</b> Each spike begins at a random moment of the HPA's loop.`,
    `<b>Resources.</b> queue-proxy, which each of Knative's replicas has beside it, is not limited by the replica's CPU limit.`,
  ];
}
