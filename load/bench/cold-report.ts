import type { BarChart } from '../common/charts/bar-chart';
import { formatNumber, markdownTable } from '../common/markdown';
import { type Summary, summarize } from '../common/statistics';
import { isOwn, versionLine } from './bench-report';
import { bare, flask } from './contenders';
import type { Route } from './routes';

/** One cold start. */
interface ColdStart {
  contender: string;
  route: Route['name'];
  quota: 'none' | 'half a core';
  /** From the start of the process to its first correct response. */
  ms: number;
}

/** The results of `npm run bench:cold`; report/cold.json has this form. */
export interface ColdStartResults {
  versions: Record<string, string>;
  runs: number;
  starts: ColdStart[];
}

const quotas = ['none', 'half a core'] as const;

const columns = [
  { name: 'first 200', route: 'GET /time' },
  { name: 'to bare', route: 'GET /time', reference: bare },
  { name: 'to Flask', route: 'GET /time', reference: flask },
  { name: 'first 201', route: 'POST /data' },
  { name: 'to Flask', route: 'POST /data', reference: flask },
] as const;

/** The results in Markdown: a table without a CPU quota, and one with it where it was measured. */
export function coldStartReport(results: ColdStartResults): string {
  return [
    `Time from the start of the process to its first response, in ms: the median (minimum–maximum) of` +
      ` ${results.runs} starts. Ratios are to ${bare.name} and to ${flask.name}.`,
    ...quotas.flatMap((quota) => {
      const names = contendersWith(results, quota);
      const cells = names.map((name) => [
        name,
        ...columns.map((column) => cell(results, name, quota, column)),
      ]);
      const header = ['', ...columns.map((column) => column.name)];
      return names.length > 0 ? [`## CPU quota: ${quota}`, markdownTable([header, ...cells])] : [];
    }),
    versionLine(results.versions),
  ].join('\n\n');
}

function cell(
  results: ColdStartResults,
  name: string,
  quota: ColdStart['quota'],
  { route, reference }: { route: Route['name']; reference?: { name: string } },
): string {
  const { median, min, max } = summaryOf(results, name, route, quota);
  if (Number.isNaN(median)) return '';
  if (!reference) return `${Math.round(median)} (${Math.round(min)}–${Math.round(max)})`;
  const ratio = median / summaryOf(results, reference.name, route, quota).median;
  return Number.isNaN(ratio) ? '' : formatNumber(ratio, 2);
}

/** The ratios, by quota, contender and request. */
export function coldStartRatios(results: ColdStartResults): object {
  const ratio = (name: string, quota: ColdStart['quota'], column: (typeof columns)[number]) => [
    `${column.route} ${column.name}`,
    Number(cell(results, name, quota, column)) || undefined,
  ];
  return Object.fromEntries(
    quotas.map((quota) => [
      quota,
      Object.fromEntries(
        contendersWith(results, quota).map((name) => [
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

/** A bar chart of the medians. */
export function coldStartChart(results: ColdStartResults): BarChart {
  const names = contendersWith(results, 'none');
  const measured = quotas.filter((quota) => contendersWith(results, quota).length > 0);
  const median = (name: string, route: Route['name'], quota: ColdStart['quota']) => {
    const { median } = summaryOf(results, name, route, quota);
    return Number.isNaN(median) ? null : Math.round(median);
  };
  return {
    title: 'Time from the start of the process to its first response, ms',
    scale: 'linear',
    names,
    strong: names.filter(isOwn),
    groups: measured.flatMap((quota) =>
      columns
        .filter((column) => !('reference' in column))
        .map(({ name, route }) => ({
          name: quota === 'none' ? name : `${name}, ${quota}`,
          values: names.map((each) => median(each, route, quota)),
        })),
    ),
  };
}

function summaryOf(
  { starts }: ColdStartResults,
  name: string,
  route: Route['name'],
  quota: ColdStart['quota'],
): Summary {
  return summarize(
    starts
      .filter((start) => start.contender === name && start.route === route && start.quota === quota)
      .map(({ ms }) => ms),
  );
}

function contendersWith({ starts }: ColdStartResults, quota: ColdStart['quota']): string[] {
  const measured = starts.filter((start) => start.quota === quota);
  return [...new Set(measured.map(({ contender }) => contender))];
}
