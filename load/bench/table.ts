import { raw } from './contenders';
import type { Report, Sample } from './measurements';
import { type Summary, summarize } from './statistics';
import type { Plot } from './write';

type Figure = Exclude<keyof Sample, 'round' | 'contender' | 'route' | 'connections'>;

const routes = ['GET /time', 'POST /data', 'GET /data'] as const;

/** A run in Markdown: what it comes to at 50 connections, then each request at all numbers. */
export function markdown(report: Report): string {
  const { versions, rounds, seconds, connections, samples, faults } = report;
  const busiest = Math.max(...samples.map(({ loadCores }) => loadCores));
  return [
    `## At ${mainCount(report)} connections`,
    `Requests a second as ratios to ${raw.name}, each the median of ${rounds} rounds of ${seconds} s, with` +
      ' the least and the most; medians of the rest.',
    overview(report),
    ...routes.flatMap((route) => [
      `## ${route}`,
      `At ${connections.join(', ')} connections: requests a second (ratio), p50 / p99 in ms.`,
      details(report, route),
    ]),
    `The load generator used ${rounded(busiest, 2)} of a core at most.`,
    about(versions),
    faults.length === 0
      ? 'Every answer was right, and every acknowledged write was stored.'
      : faults.map((fault) => `- ${fault}`).join('\n'),
  ].join('\n\n');
}

/** The machine and the versions, in one line. */
export function about(versions: Report['versions']): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join('; ');
}

/** The ratios to the reference: of the rate, and of the CPU time per request, by contender. */
export function ratios(report: Report): object {
  const of = (figure: Figure) =>
    Object.fromEntries(
      names(report).map((name) => [
        name,
        Object.fromEntries(
          routes.map((route) => [
            route,
            Object.fromEntries(
              report.connections.map((count) => [
                count,
                Number(rounded(ratio(report, name, route, count, figure).median, 2)),
              ]),
            ),
          ]),
        ),
      ]),
    );
  return { rate: of('rate'), p99: of('p99'), cpu: of('cpuPerThousand') };
}

/** The rates of the overview, to be drawn. */
export function plot(report: Report): Plot {
  const count = mainCount(report);
  return {
    title: `Requests a second at ${count} connections, as ratios to ${raw.name}`,
    scale: 'log',
    contenders: names(report),
    series: routes.map((route) => ({
      name: route,
      values: names(report).map((name) =>
        Number(rounded(ratio(report, name, route, count, 'rate').median, 2)),
      ),
    })),
  };
}

function overview(report: Report): string {
  const count = mainCount(report);
  const line = (name: string) => {
    const all = (figure: Figure, digits: number) =>
      routes
        .map((route) =>
          rounded(summarize(figures(report, name, route, count, figure)).median, digits),
        )
        .join(' / ');
    const most = (figure: Figure) =>
      Math.round(
        Math.max(
          ...routes.map((route) => summarize(figures(report, name, route, count, figure)).median),
        ),
      );
    return [
      name,
      ...routes.map((route) => spread(ratio(report, name, route, count, 'rate'))),
      all('p99', 2),
      all('cpuPerThousand', 2),
      `${most('residentMegabytes')} / ${most('peakMegabytes')}`,
    ];
  };
  return rows([
    ['', ...routes, 'p99, ms', 'CPU per 1,000, s', 'resident / peak, MB'],
    ...names(report).map(line),
  ]);
}

function details(report: Report, route: Sample['route']): string {
  const cell = (name: string, count: number) => {
    const [rate, p50, p99] = (['rate', 'p50', 'p99'] as const).map((figure) =>
      rounded(summarize(figures(report, name, route, count, figure)).median, 3),
    );
    const { median } = ratio(report, name, route, count, 'rate');
    return `${rate} (${rounded(median, 2)}), ${p50} / ${p99}`;
  };
  return rows([
    ['', ...report.connections.map(String)],
    ...names(report).map((name) => [name, ...report.connections.map((count) => cell(name, count))]),
  ]);
}

/** The ratio to the reference within each round, as both saw the same state of the machine. */
function ratio(
  report: Report,
  name: string,
  route: Sample['route'],
  count: number,
  figure: Figure,
): Summary {
  const reference = figures(report, raw.name, route, count, figure);
  return summarize(
    figures(report, name, route, count, figure).map(
      (value, n) => value / (reference[n] ?? Number.NaN),
    ),
  );
}

/** A figure's values, by round. */
function figures(
  { samples }: Report,
  name: string,
  route: Sample['route'],
  count: number,
  figure: Figure,
): number[] {
  return samples
    .filter(
      (sample) =>
        sample.contender === name && sample.route === route && sample.connections === count,
    )
    .map((sample) => sample[figure]);
}

function names({ samples }: Report): string[] {
  return [...new Set(samples.map(({ contender }) => contender))];
}

function mainCount({ connections }: Report): number {
  return connections.includes(50) ? 50 : (connections.at(-1) ?? 0);
}

/** Rows of cells as a Markdown table, of which the first is the head. */
export function rows([head = [], ...body]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [head, head.map(() => '---'), ...body].map(line).join('\n');
}

export function spread({ median, min, max }: Summary): string {
  return `${rounded(median, 2)} (${rounded(min, 2)}–${rounded(max, 2)})`;
}

/** A number to a few significant digits, without an exponent. */
export function rounded(value: number, digits: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: digits, useGrouping: false });
}
