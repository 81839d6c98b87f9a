import { svgFile } from '../common/charts/svg';
import type { Comparison } from './comparison';
import { plotsOf, sideBySide } from './dot-plots';

/** A picture of the answer, for pages that can't embed the report. */
export function comparePicture(comparison: Comparison): string {
  const { plots, scale } = plotsOf(comparison, ({ measures }) => measures.p95AtFirst);
  const { content, width, height } = sideBySide(plots, scale);
  const description = plots.map(
    ({ title, rows }) =>
      `${title}: ${rows.map(({ name, median }) => `${name} ${median === null ? 'none' : Math.round(median)}`).join(', ')}.`,
  );
  return svgFile(
    {
      title: 'p95 in the first ten seconds of a spike, in ms',
      description: description.join(' '),
      ...{ width, height },
    },
    content,
  );
}
