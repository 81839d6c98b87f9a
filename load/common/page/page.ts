import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Axes, lineChart, type Series, sample } from '../charts/line-chart';
import { linearScale, logScale, powersOfTen, scaleFromZero } from '../charts/scale';
import { chartCss, escapeText } from '../charts/svg';

/** Charts side by side, of the same quantity. In all views of a page they have the same y axis. */
export interface Panel {
  title: string;
  /** Unit, and what else it takes to read the charts. */
  note?: string;
  /** Whether the y axis is logarithmic. */
  log?: boolean;
  charts: { title: string; series: Series[] }[];
}

/** Panels that are shown together, with the same x axis and a common cursor. */
export interface View extends Pick<Axes, 'x' | 'shade'> {
  name: string;
  /** Of x, such as `s`. */
  unit: string;
  /** Whether the x axis is logarithmic, with ticks at powers of two. */
  logX?: boolean;
  panels: Panel[];
}

/**
 * Renders a self-contained HTML page, which loads nothing.
 *
 * @param before HTML above the charts
 * @param after HTML below the charts
 */
export function page(title: string, before: string, views: View[], after: string): string {
  const asset = (name: string) => readFileSync(join(__dirname, name), 'utf8');
  const choices = views.map(
    ({ name }, i) =>
      `<label><input type="radio" name="view" value="${i}"${i ? '' : ' checked'}> ${escapeText(name)}</label>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>
${chartCss}${asset('page.css')}</style>
<main>
<h1>${escapeText(title)}</h1>
${before}
${views.length > 1 ? `<fieldset class="choice" hidden><legend>Shown</legend>${choices.join('')}</fieldset>` : ''}
${views.map((view) => renderView(view, views)).join('\n')}
${after}
</main>
<script>
${asset('view.js')}</script>
</html>
`;
}

function renderView(view: View, views: View[]): string {
  const { name, x, unit, shade, logX, panels } = view;
  const [start = 0, end = 1] = [x.at(0), x.at(-1)];
  const xScale = logX ? logScale(start, end, 2) : linearScale(start, end);
  return `<section class="view" data-x="${JSON.stringify(x)}" data-unit="${escapeText(unit)}"${logX ? ' data-scale="log"' : ''}>
<h3>${escapeText(name)}</h3>
<p class="cursor" hidden><label>Values at <input type="range" min="0" max="${x.length - 1}"></label> <output></output></p>
${panels
  .map((panel, i) =>
    renderPanel(panel, {
      x,
      xScale,
      shade,
      y: scaleOf(views.map(({ panels }) => panels[i])),
    }),
  )
  .join('\n')}
</section>`;
}

function renderPanel({ title, note, charts }: Panel, axes: Axes): string {
  const figures = charts.map((chart) => {
    const values = JSON.stringify(chart.series.map(({ values }) => values.map(rounded)));
    const labels = escapeText(JSON.stringify(chart.series.map(({ label }) => label)));
    return `<figure data-labels="${labels}" data-values="${values}">
<figcaption>${escapeText(chart.title)}</figcaption>
${lineChart(`${title}, ${chart.title}`, chart.series, axes)}
<p class="readout"></p>
</figure>`;
  });
  return `<h4>${escapeText(title)}${note ? ` <small>${escapeText(note)}</small>` : ''}</h4>
${legend(charts.flatMap(({ series }) => series))}
<div class="charts">${figures.join('\n')}</div>`;
}

/** A legend, for more than one kind of line. */
function legend(series: Series[]): string {
  const kinds = new Map(series.map((each) => [each.label, each]));
  if (kinds.size < 2) return '';
  const items = [...kinds.values()].map(
    (each) =>
      `<li><svg viewBox="0 0 28 12" width="28" height="12" aria-hidden="true">${sample(each.mark)}</svg> ${escapeText(each.label)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}

function scaleOf(panels: (Panel | undefined)[]) {
  const values = panels.flatMap((panel) =>
    (panel?.charts ?? []).flatMap(({ series }) => series.flatMap(({ values }) => values)),
  );
  const known = values.filter((value) => value !== null);
  return panels[0]?.log ? powersOfTen(known) : scaleFromZero(known);
}

const rounded = (value: number | null) => (value === null ? null : Number(value.toPrecision(3)));

/** A list of names and values. */
export function definitions(values: Record<string, string>): string {
  const lines = Object.entries(values).map(
    ([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`,
  );
  return `<dl>${lines.join('\n')}</dl>`;
}

/** A column of numbers. Neighbours with the same `group` share it as a heading above their own. */
export interface Column {
  name: string;
  group?: string;
}

/**
 * A table of numbers, which scrolls in a container of its own where it is too wide.
 *
 * @param first the heading of the first column, which has the names of the rows
 * @param rows each begins with its name
 */
export function numberTable(
  caption: string,
  first: string,
  columns: Column[],
  rows: string[][],
): string {
  const grouped = columns.some(({ group }) => group !== undefined);
  const corner = first
    ? `<th scope="col"${grouped ? ' rowspan="2"' : ''}>${escapeText(first)}</th>`
    : `<td${grouped ? ' rowspan="2"' : ''}></td>`;
  const groups = [...new Set(columns.map(({ group }) => group))].map((group) => {
    const count = columns.filter((column) => column.group === group).length;
    return `<th scope="colgroup" colspan="${count}">${escapeText(group ?? '')}</th>`;
  });
  const names = columns.map(
    ({ name }) => `<th scope="col" class="number">${escapeText(name)}</th>`,
  );
  const header = grouped ? [corner + groups.join(''), names.join('')] : [corner + names.join('')];
  const lines = rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => `<td class="number">${escapeText(cell)}</td>`);
    return `<tr><th scope="row">${escapeText(name)}</th>${values.join('')}</tr>`;
  });
  return `<div class="table" role="region" tabindex="0" aria-label="${escapeText(caption)}"><table>
<caption>${escapeText(caption)}</caption>
<thead>${header.map((row) => `<tr>${row}</tr>`).join('')}</thead>
<tbody>${lines.join('\n')}</tbody>
</table></div>`;
}
