import { bare, flask } from './contenders';
import type { Route } from './routes';
import { type Summary, summarize } from './statistics';
import { about, rounded, rows } from './table';
import type { Plot } from './write';

/** How long after its start a process gave its first right answer to a request. */
interface Start {
  contender: string;
  route: Route['name'];
  quota: 'none' | 'half a core';
  ms: number;
}

/** All that a run measured. */
export interface ColdReport {
  versions: Record<string, string>;
  runs: number;
  starts: Start[];
}

const quotas = ['none', 'half a core'] as const;

const columns = [
  { name: 'first 200', route: 'GET /time' },
  { name: 'to bare', route: 'GET /time', reference: bare },
  { name: 'to Flask', route: 'GET /time', reference: flask },
  { name: 'first 201', route: 'POST /data' },
  { name: 'to Flask', route: 'POST /data', reference: flask },
] as const;

/** A run in Markdown: a table without a CPU quota, and one with, if there was one. */
export function markdown(report: ColdReport): string {
  return [
    `From the start of a process to its first answer: ms, the median of ${report.runs} starts with` +
      ` the least and the most; ratios to ${bare.name} and to ${flask.name}.`,
    ...quotas.flatMap((quota) => {
      const names = namesWith(report, quota);
      const cells = names.map((name) => [
        name,
        ...columns.map((column) => cell(report, name, quota, column)),
      ]);
      const head = ['', ...columns.map((column) => column.name)];
      return names.length > 0 ? [`## CPU quota: ${quota}`, rows([head, ...cells])] : [];
    }),
    about(report.versions),
  ].join('\n\n');
}

function cell(
  report: ColdReport,
  name: string,
  quota: Start['quota'],
  { route, reference }: { route: Route['name']; reference?: { name: string } },
): string {
  const { median, min, max } = summary(report, name, route, quota);
  if (Number.isNaN(median)) return '';
  if (!reference) return `${Math.round(median)} (${Math.round(min)}–${Math.round(max)})`;
  const ratio = median / summary(report, reference.name, route, quota).median;
  return Number.isNaN(ratio) ? '' : rounded(ratio, 2);
}

/** The ratios, by quota, contender and request. */
export function ratios(report: ColdReport): object {
  const ratio = (name: string, quota: Start['quota'], column: (typeof columns)[number]) => [
    `${column.route} ${column.name}`,
    Number(cell(report, name, quota, column)) || undefined,
  ];
  return Object.fromEntries(
    quotas.map((quota) => [
      quota,
      Object.fromEntries(
        namesWith(report, quota).map((name) => [
          name,
          Object.fromEntries(
            columns
              .filter((column) => 'reference' in column)
              .map((column) => ratio(name, quota, column)),
          ),
        ]),
      ),
    ]),
  );
}

/** The medians, to be drawn. */
export function plot(report: ColdReport): Plot {
  const contenders = namesWith(report, 'none');
  const measured = quotas.filter((quota) => namesWith(report, quota).length > 0);
  return {
    title: 'From the start of a process to its first answer, ms',
    scale: 'linear',
    contenders,
    series: measured.flatMap((quota) =>
      columns
        .filter((column) => !('reference' in column))
        .map(({ name, route }) => ({
          name: quota === 'none' ? name : `${name}, ${quota}`,
          values: contenders.map((each) => Math.round(summary(report, each, route, quota).median)),
        })),
    ),
  };
}

function summary(
  { starts }: ColdReport,
  name: string,
  route: Route['name'],
  quota: Start['quota'],
): Summary {
  return summarize(
    starts
      .filter((start) => start.contender === name && start.route === route && start.quota === quota)
      .map(({ ms }) => ms),
  );
}

function namesWith({ starts }: ColdReport, quota: Start['quota']): string[] {
  const those = starts.filter((start) => start.quota === quota);
  return [...new Set(those.map(({ contender }) => contender))];
}
