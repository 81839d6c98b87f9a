import type { Scale } from './scale';
import { escapeText, shortNumber } from './svg';

/** Measurements as dots on a common axis, a row for each thing that was measured. */
export interface DotPlot {
  title: string;
  /** Null for what has no value. */
  rows: { name: string; strong: boolean; values: (number | null)[]; median: number | null }[];
}

export const dotPlotWidth = 340;
const track = 270;
const rowHeight = 36;
const head = 28;
const foot = 30;

export const dotPlotHeight = ({ rows }: DotPlot) => head + rows.length * rowHeight + foot;

/**
 * Draws a dot for each value, a bar at the median, and the median as a number.
 *
 * @returns the content of an `svg` element, `dotPlotWidth` wide and `dotPlotHeight` high
 */
export function dotPlot({ title, rows }: DotPlot, scale: Scale): string {
  const bottom = head + rows.length * rowHeight;
  const xOf = (value: number) => Math.round(5 + scale.place(value) * (track - 10));
  const grid = scale.ticks.map((tick) => `M${xOf(tick)} ${head}V${bottom}`).join('');
  const ticks = scale.ticks.map((tick, i) => {
    const [x, anchor] = i === 0 ? [0, 'start'] : [xOf(tick), 'middle'];
    return `<text class="soft" x="${x}" y="${bottom + 18}" text-anchor="${anchor}">${shortNumber(tick)}</text>`;
  });
  return [
    `<text class="strong" x="0" y="16">${escapeText(title)}</text>`,
    `<path class="grid" d="${grid}"/>`,
    ...rows.map((row, i) => drawRow(row, head + i * rowHeight)),
    ...ticks,
  ].join('\n');

  function drawRow({ name, strong, values, median }: DotPlot['rows'][number], top: number): string {
    const emphasis = strong ? ' strong' : '';
    const known = values.filter((value) => value !== null);
    const y = top + 26;
    return `<text class="name${emphasis}" x="5" y="${top + 15}">${escapeText(name)}</text>
${known.map((value) => `<circle class="dot${strong ? '' : ' soft'}" cx="${xOf(value)}" cy="${y}" r="4"/>`).join('')}
${median === null ? '' : `<path class="origin" d="M${xOf(median)} ${y - 7}v14"/>`}
<text class="value${emphasis}" x="${dotPlotWidth}" y="${y + 4}" text-anchor="end">${median === null ? 'never' : shortNumber(median)}</text>`;
  }
}
