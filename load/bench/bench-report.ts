import type { BarChart } from '../common/charts/bar-chart';
import { formatNumber, markdownTable } from '../common/markdown';
import { type Summary, summarize } from '../common/statistics';
import { raw } from './contenders';
import type { BenchResults, Sample } from './results';
import { routeNames as routes } from './routes';

type Metric = Exclude<keyof Sample, 'round' | 'contender' | 'route' | 'connections'>;

/** The results in Markdown: an overview at 50 connections, then each request at all of them. */
export function benchReport(results: BenchResults): string {
  const { versions, rounds, seconds, connections, samples, faults } = results;
  const busiest = Math.max(...samples.map(({ loadCores }) => loadCores));
  return [
    `## At ${mainCount(results)} connections`,
    `Throughput as a ratio to ${raw.name}: the median (minimum–maximum) of ${rounds} rounds of ${seconds} s.` +
      ' The other columns are medians.',
    overview(results),
    ...routes.flatMap((route) => [
      `## ${route}`,
      `At ${connections.join(', ')} connections: requests/s (ratio), p50 / p99 in ms.`,
      details(results, route),
    ]),
    `The load generator used at most ${formatNumber(busiest, 2)} of a core.`,
    versionLine(versions),
    faults.length === 0
      ? 'Every response was correct, and every acknowledged write was stored.'
      : faults.map((fault) => `- ${fault}`).join('\n'),
  ].join('\n\n');
}

/** The machine and the versions, in one line. */
export function versionLine(versions: BenchResults['versions']): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join('; ');
}

/** The ratios to `raw` of throughput, p99 and CPU time, by contender, request and connections. */
export function benchRatios(results: BenchResults): object {
  const of = (metric: Metric) =>
    Object.fromEntries(
      names(results).map((name) => [
        name,
        Object.fromEntries(
          routes.map((route) => [
            route,
            Object.fromEntries(
              results.connections.map((count) => [
                count,
                Number(formatNumber(ratio(results, name, route, count, metric).median, 2)),
              ]),
            ),
          ]),
        ),
      ]),
    );
  return { rate: of('rate'), p99: of('p99'), cpu: of('cpuPerThousand') };
}

/** A bar chart of the throughput in the overview. */
export function benchChart(results: BenchResults): BarChart {
  const count = mainCount(results);
  return {
    title: `Throughput at ${count} connections, as a ratio to ${raw.name}`,
    scale: 'log',
    names: names(results),
    strong: names(results).filter(isOwn),
    groups: routes.map((route) => ({
      name: route,
      values: names(results).map((name) =>
        Number(formatNumber(ratio(results, name, route, count, 'rate').median, 2)),
      ),
    })),
  };
}

/** Whether this is the service, in one of its forms. */
export function isOwn(contender: string): boolean {
  return contender.startsWith('this,');
}

function overview(results: BenchResults): string {
  const count = mainCount(results);
  const line = (name: string) => {
    const all = (metric: Metric, digits: number) =>
      routes
        .map((route) =>
          formatNumber(summarize(values(results, name, route, count, metric)).median, digits),
        )
        .join(' / ');
    const highest = (metric: Metric) =>
      Math.round(
        Math.max(
          ...routes.map((route) => summarize(values(results, name, route, count, metric)).median),
        ),
      );
    return [
      name,
      ...routes.map((route) => formatSummary(ratio(results, name, route, count, 'rate'))),
      all('p99', 2),
      all('cpuPerThousand', 2),
      `${highest('residentMegabytes')} / ${highest('peakMegabytes')}`,
    ];
  };
  return markdownTable([
    ['', ...routes, 'p99, ms', 'CPU per 1,000 requests, s', 'resident / peak, MB'],
    ...names(results).map(line),
  ]);
}

function details(results: BenchResults, route: Sample['route']): string {
  const cell = (name: string, count: number) => {
    const [rate, p50, p99] = (['rate', 'p50', 'p99'] as const).map((metric) =>
      formatNumber(summarize(values(results, name, route, count, metric)).median, 3),
    );
    const { median } = ratio(results, name, route, count, 'rate');
    return `${rate} (${formatNumber(median, 2)}), ${p50} / ${p99}`;
  };
  return markdownTable([
    ['', ...results.connections.map(String)],
    ...names(results).map((name) => [
      name,
      ...results.connections.map((count) => cell(name, count)),
    ]),
  ]);
}

/** The ratio to `raw`, taken within each round, as conditions differ between rounds. */
function ratio(
  results: BenchResults,
  name: string,
  route: Sample['route'],
  count: number,
  metric: Metric,
): Summary {
  const baseline = values(results, raw.name, route, count, metric);
  return summarize(
    values(results, name, route, count, metric).map(
      (value, n) => value / (baseline[n] ?? Number.NaN),
    ),
  );
}

/** The values of a metric, by round. */
function values(
  { samples }: BenchResults,
  name: string,
  route: Sample['route'],
  count: number,
  metric: Metric,
): number[] {
  return samples
    .filter(
      (sample) =>
        sample.contender === name && sample.route === route && sample.connections === count,
    )
    .map((sample) => sample[metric]);
}

function names({ samples }: BenchResults): string[] {
  return [...new Set(samples.map(({ contender }) => contender))];
}

function mainCount({ connections }: BenchResults): number {
  return connections.includes(50) ? 50 : (connections.at(-1) ?? 0);
}

function formatSummary({ median, min, max }: Summary): string {
  return `${formatNumber(median, 2)} (${formatNumber(min, 2)}–${formatNumber(max, 2)})`;
}
