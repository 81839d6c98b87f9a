import { lineChart, type Series, sample } from '../common/charts/line-chart';
import { linearScale, powersOfTen, scaleFromZero } from '../common/charts/scale';
import { escapeText, svgFile } from '../common/charts/svg';
import { timeline, titles, variants } from './compare-report';
import type { Comparison, Run } from './comparison';
import { replicasAt } from './measures';

const width = 520;
const left = 52;
const plotHeight = 110;
const rowHeight = plotHeight + 58;
const headHeight = 30;
const foot = 'Seconds from when the load begins to rise; the spike is shaded.';

const rows: {
  title: string;
  log?: boolean;
  steps?: boolean;
  values(run: Run): (number | null)[];
}[] = [
  {
    title: 'Requests sent, per second',
    values: ({ seconds }) => seconds.map(({ arrivals }) => arrivals),
  },
  {
    title: 'Ready replicas',
    steps: true,
    values: ({ replicas, times, seconds }) =>
      replicasAt(replicas, times.begin, seconds.length).map(({ ready }) => ready),
  },
  {
    title: 'Latency: p95 of the successful requests, ms',
    log: true,
    values: ({ seconds }) => seconds.map(({ p95 }) => p95),
  },
];

/** A picture of the first round, with all variants in each chart, for pages that can't embed the report. */
export function comparePicture({ runs }: Comparison): string {
  const round = runs[0]?.round ?? '';
  const ofRound = variants.flatMap((variant) =>
    runs.filter((run) => run.round === round && run.variant === variant),
  );
  const { x, shade } = timeline(ofRound[0] as Run);
  const xScale = linearScale(x.at(0) ?? 0, x.at(-1) ?? 1);
  const marks = ['line-1', 'line-2', 'line-3'] as const;
  const charts = rows.map(({ title, log, steps = false, values }, i) => {
    const series = ofRound.map(
      (run, n): Series => ({
        ...{ label: titles[run.variant], mark: marks[n] ?? 'line-3', steps },
        values: values(run),
      }),
    );
    const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
    const y = log ? powersOfTen(known) : scaleFromZero(known);
    const top = headHeight + i * rowHeight;
    return `<text class="strong" x="0" y="${top + 14}">${escapeText(title)}</text>
${lineChart(title, series, { x, xScale, shade, y }, `x="${left}" y="${top + 28}" width="${width - left - 20}" height="${plotHeight}"`)}`;
  });
  const legend = ofRound.map(
    ({ variant }, i) => `<svg x="${i * 200}" y="4" width="200" height="20">
<svg y="4" width="28" height="12" viewBox="0 0 28 12">${sample(marks[i] ?? 'line-3')}</svg>
<text x="36" y="14">${escapeText(titles[variant])}</text>
</svg>`,
  );
  const footTop = headHeight + rows.length * rowHeight;
  return svgFile(
    {
      title: `The same spike: ${ofRound.map(({ variant }) => titles[variant]).join(' and ')}`,
      description: `${rows.map(({ title }) => title).join('; ')}. ${foot}`,
      ...{ width, height: footTop + 20 },
    },
    [...legend, ...charts, `<text class="soft" x="${left}" y="${footTop + 8}">${foot}</text>`].join(
      '\n',
    ),
  );
}
