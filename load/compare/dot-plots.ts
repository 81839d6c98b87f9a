import { type DotPlot, dotPlot, dotPlotHeight, dotPlotWidth } from '../common/charts/dot-plot';
import { powersOfTen, type Scale } from '../common/charts/scale';
import type { Comparison } from './comparison';
import { capitalized, medianOf, runsOf, type Value } from './medians';

/** A plot for each load, on one axis, of what all subjects had of some measure. */
export function plotsOf(comparison: Comparison, value: Value) {
  const plots = comparison.loads.map(
    (load): DotPlot => ({
      title: capitalized(load.title),
      rows: comparison.subjects.flatMap(({ name, software }) => {
        const runs = runsOf(comparison, load, name);
        if (runs.length === 0) return [];
        const median = medianOf(runs, value);
        return {
          ...{ name, strong: software === 'this service' },
          values: runs.map(value),
          median: Number.isFinite(median) ? median : null,
        };
      }),
    }),
  );
  const values = plots.flatMap(({ rows }) => rows.flatMap((row) => row.values));
  const scale = powersOfTen(values.filter((value) => value !== null));
  return { plots, scale };
}

/** The plots side by side, as the content of one `svg` element. */
export function sideBySide(plots: DotPlot[], scale: Scale) {
  const gap = 40;
  const content = plots.map(
    (plot, i) =>
      `<g transform="translate(${i * (dotPlotWidth + gap)})">\n${dotPlot(plot, scale)}\n</g>`,
  );
  return {
    content: content.join('\n'),
    width: plots.length * (dotPlotWidth + gap) - gap,
    height: Math.max(...plots.map(dotPlotHeight)),
  };
}
