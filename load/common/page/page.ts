import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A plot: series over a common x axis. */
export interface Panel {
  title: string;
  /** Unit, and what else it takes to read the plot. */
  note?: string;
  xLabel: string;
  x: number[];
  xLog?: boolean;
  /** Minimum and maximum of the y axis, so that plots side by side can be compared. */
  range: [number, number];
  log?: boolean;
  /** A range of x to highlight. */
  shade?: [number, number];
  series: Series[];
}

export interface Series {
  label: string;
  values: (number | null)[];
  color: '1' | '2' | '3';
  steps?: boolean;
  dots?: boolean;
  dash?: boolean;
}

/** Plots that are shown together and share a cursor. */
export interface View {
  name: string;
  columns: { title?: string; panels: Panel[] }[];
}

/**
 * Renders a self-contained HTML page, which loads nothing.
 *
 * @param before HTML above the plots
 * @param after HTML below the plots
 */
export function page(title: string, before: string, views: View[], after: string): string {
  const asset = (name: string) => readFileSync(join(__dirname, name), 'utf8');
  const [script, css] = ['uPlot.iife.min.js', 'uPlot.min.css'].map((name) =>
    readFileSync(join(require.resolve('uplot'), '..', name), 'utf8'),
  );
  const choices = views.map(
    ({ name }, i) =>
      `<label><input type="radio" name="view" value="${i}"${i ? '' : ' checked'}> ${escapeHtml(name)}</label>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${css}
${asset('page.css')}</style>
<h1>${escapeHtml(title)}</h1>
${before}
${views.length > 1 ? `<nav>${choices.join('')}</nav>` : ''}
<div id="plots"></div>
${after}
<script>${script}</script>
<script>const views = ${JSON.stringify(views).replaceAll('<', '\\u003c')};
${asset('plots.js')}</script>
</html>
`;
}

/** Escapes text for HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A table of two columns, names and values. */
export function keyValueTable(rows: Record<string, string>): string {
  const lines = Object.entries(rows).map(
    ([name, value]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table class="table">${lines.join('\n')}</table>`;
}

/** A table with a header row; the first cell of each row is its name. */
export function dataTable(caption: string, header: string[], rows: string[][]): string {
  const columns = header.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`);
  const lines = rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => `<td>${escapeHtml(cell)}</td>`);
    return `<tr><th scope="row">${escapeHtml(name)}</th>${values.join('')}</tr>`;
  });
  return `<table class="table">
<caption>${escapeHtml(caption)}</caption>
<thead><tr>${columns.join('')}</tr></thead>
<tbody>${lines.join('\n')}</tbody>
</table>`;
}
