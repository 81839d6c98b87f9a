import { linearScale, logScale } from './scale';
import { escapeText, shortNumber, svgFile } from './svg';

/** Groups of horizontal bars, one bar for each name. */
export interface BarChart {
  title: string;
  /** On a logarithmic scale, for ratios, bars begin at 1. */
  scale: 'linear' | 'log';
  names: string[];
  /** The names to stand out. */
  strong: string[];
  /** Null where there is no value. */
  groups: { name: string; values: (number | null)[] }[];
}

const width = 540;
const row = 22;
const left = 204;
const right = 52;

/** The chart as a picture of its own. */
export function barChart({ title, scale, names, strong, groups }: BarChart): string {
  const known = groups.flatMap(({ values }) => values).filter((value) => value !== null);
  const axis =
    scale === 'log'
      ? logScale(Math.min(1, ...known) / 3, Math.max(1, ...known))
      : linearScale(0, Math.max(...known));
  const xOf = (value: number) => Math.round(left + axis.place(value) * (width - left - right));
  const origin = xOf(scale === 'log' ? 1 : 0);

  let y = 24;
  const parts: string[] = [`<text class="strong" x="0" y="16">${escapeText(title)}</text>`];
  for (const group of groups) {
    const top = y + 32;
    const bars = names.flatMap((name, i) => {
      const value = group.values[i] ?? null;
      return value === null ? [] : [{ name, value }];
    });
    const bottom = top + bars.length * row;
    parts.push(
      `<text class="strong" x="0" y="${y + 20}">${escapeText(group.name)}</text>`,
      `<path class="grid" d="${axis.ticks.map((tick) => `M${xOf(tick)} ${top}V${bottom}`).join('')}"/>`,
      ...bars.map(({ name, value }, i) => bar(name, value, top + i * row)),
      `<path class="origin" d="M${origin} ${top}V${bottom}"/>`,
      ...axis.ticks.map(
        (tick) =>
          `<text class="soft" x="${xOf(tick)}" y="${bottom + 15}" text-anchor="middle">${shortNumber(tick)}</text>`,
      ),
    );
    y = bottom + 24;
  }
  const description = groups.map(
    (group) =>
      `${group.name}: ${names
        .flatMap((name, i) => (group.values[i] == null ? [] : `${name} ${group.values[i]}`))
        .join(', ')}.`,
  );
  return svgFile({ title, description: description.join(' '), width, height: y }, parts.join('\n'));

  function bar(name: string, value: number, top: number): string {
    const emphasis = strong.includes(name) ? ' strong' : '';
    const [from, to] = [origin, xOf(value)].toSorted((a, b) => a - b) as [number, number];
    const label = value < 1 && scale === 'log' ? [from - 5, 'end'] : [to + 5, 'start'];
    return `<text class="name${emphasis}" x="${left - 10}" y="${top + 16}" text-anchor="end">${escapeText(name)}</text>
<rect class="bar${emphasis}" x="${from}" y="${top + 4}" width="${to - from}" height="${row - 8}"/>
<text class="value${emphasis}" x="${label[0]}" y="${top + 16}" text-anchor="${label[1]}">${shortNumber(value)}</text>`;
  }
}
