import type { Scale } from './scale';
import { escapeText, percent, shortNumber } from './svg';

/** A line, or an area below one. Lines differ in colour and in dashes. */
export interface Series {
  label: string;
  /** Null where there is no value. */
  values: (number | null)[];
  mark: 'line-1' | 'line-2' | 'line-3' | 'area';
  /** Whether a value holds until the next one. */
  steps?: boolean;
  dots?: boolean;
}

/** What the charts of a page that can be compared have in common. */
export interface Axes {
  x: number[];
  xScale: Scale;
  y: Scale;
  /** A range of x to highlight. */
  shade: [number, number];
}

/**
 * Draws lines over a common x axis, as an `svg` element of any size: what is drawn stretches with it,
 * text and strokes do not. Labels of the axes are outside of it. Values beyond the y axis are marked
 * with ▲ and the value.
 *
 * @param title what the chart shows, for those who can't see it
 * @param attributes of the element, such as its size
 */
export function lineChart(title: string, series: Series[], axes: Axes, attributes = ''): string {
  const { x, xScale, y, shade } = axes;
  const inOrder = series.toSorted((a, b) => Number(b.mark === 'area') - Number(a.mark === 'area'));
  const xTicks = xScale.ticks.map(
    (tick) =>
      `<text class="soft" x="${percent(xScale.place(tick))}" y="100%" dy="17" text-anchor="middle">${shortNumber(tick)}</text>`,
  );
  const yTicks = y.ticks.map(
    (tick) =>
      `<text class="soft" x="-6" y="${percent(1 - y.place(tick))}" dy="4" text-anchor="end">${shortNumber(tick)}</text>`,
  );
  const [from, to] = shade.map(xScale.place) as [number, number];
  return `<svg class="plot" role="img" aria-label="${escapeText(`${title}: ${series.map(rangeOf).join(', ')}`)}" overflow="visible" ${attributes}>
<rect class="shade" x="${percent(from)}" width="${percent(to - from)}" height="100%"/>
<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%" overflow="visible">
<path class="grid" d="${[...xScale.ticks.map((tick) => `M${at(xScale.place(tick))} 0v1000`), ...y.ticks.map((tick) => `M0 ${at(1 - y.place(tick))}h1000`)].join('')}"/>
${inOrder.map((each) => `<path class="${each.mark}" d="${pathOf(each)}"/>`).join('\n')}
</svg>
${[...xTicks, ...yTicks, ...series.flatMap(outliers), ...series.flatMap(dots)].join('\n')}
</svg>`;

  function pathOf({ values, mark, steps }: Series): string {
    const points = values.flatMap((value, i) =>
      value === null ? [] : [{ x: at(placeOfX(i)), y: at(1 - y.place(value)) }],
    );
    const line = points
      .map((point, i) => {
        if (i === 0) return `M${point.x} ${point.y}`;
        return steps ? `H${point.x}V${point.y}` : `L${point.x} ${point.y}`;
      })
      .join('');
    const [first, last] = [points.at(0), points.at(-1)];
    return mark === 'area' && first && last ? `${line}V1000H${first.x}Z` : line;
  }

  function outliers({ values }: Series): string[] {
    return values.flatMap((value, i) => {
      if (value === null || value <= y.end) return [];
      const anchor = placeOfX(i) > 0.8 ? 'end' : 'middle';
      return `<text class="outlier" x="${percent(placeOfX(i))}" y="-4" text-anchor="${anchor}">▲ ${shortNumber(value)}</text>`;
    });
  }

  function dots({ values, dots }: Series): string[] {
    if (!dots) return [];
    return values.flatMap((value, i) =>
      value === null
        ? []
        : `<circle class="dot" cx="${percent(placeOfX(i))}" cy="${percent(1 - y.place(value))}" r="3.5"/>`,
    );
  }

  function placeOfX(index: number): number {
    return xScale.place(x[index] ?? 0);
  }
}

const at = (place: number) => Number((1000 * place).toFixed(1));

/** A series in words. */
function rangeOf({ label, values }: Series): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `${label} unknown`;
  return `${label} ${shortNumber(Math.min(...known))} to ${shortNumber(Math.max(...known))}`;
}

/** A sample of a mark for a legend, 28 by 12. */
export function sample(mark: Series['mark']): string {
  return `<path class="${mark}" d="${mark === 'area' ? 'M0 0H28V12H0Z' : 'M0 6H28'}"/>`;
}
