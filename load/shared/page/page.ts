import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One plot: series over the same x. */
export interface Panel {
  title: string;
  /** What the reader must know to read it. */
  note?: string;
  xLabel: string;
  x: number[];
  xLog?: boolean;
  /** The least and the most of y, so that plots side by side compare. */
  range: [number, number];
  log?: boolean;
  /** A part of x to set off. */
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

/** Plots that are seen together, with one cursor. */
export interface View {
  name: string;
  columns: { title?: string; panels: Panel[] }[];
}

/**
 * Makes a page that needs nothing but itself.
 * @param before HTML above the plots
 * @param after HTML below them
 */
export function page(title: string, before: string, views: View[], after: string): string {
  const here = (name: string) => readFileSync(join(__dirname, name), 'utf8');
  const [script, css] = ['uPlot.iife.min.js', 'uPlot.min.css'].map((name) =>
    readFileSync(join(require.resolve('uplot'), '..', name), 'utf8'),
  );
  const choices = views.map(
    ({ name }, i) =>
      `<label><input type="radio" name="view" value="${i}"${i ? '' : ' checked'}> ${html(name)}</label>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<style>${css}
${here('page.css')}</style>
<h1>${html(title)}</h1>
${before}
${views.length > 1 ? `<nav>${choices.join('')}</nav>` : ''}
<div id="plots"></div>
${after}
<script>${script}</script>
<script>const views = ${JSON.stringify(views).replaceAll('<', '\\u003c')};
${here('plots.js')}</script>
</html>
`;
}

export function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A table of what is named in the first column. */
export function facts(rows: Record<string, string>): string {
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th scope="row">${html(name)}</th><td>${html(value)}</td></tr>`,
  );
  return `<table class="table">${lines.join('\n')}</table>`;
}

/** A table of figures: a head, and rows that begin with their name. */
export function figures(caption: string, head: string[], rows: string[][]): string {
  const columns = head.map((cell) => `<th scope="col">${html(cell)}</th>`);
  const lines = rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => `<td>${html(cell)}</td>`);
    return `<tr><th scope="row">${html(name)}</th>${values.join('')}</tr>`;
  });
  return `<table class="table">
<caption>${html(caption)}</caption>
<thead><tr>${columns.join('')}</tr></thead>
<tbody>${lines.join('\n')}</tbody>
</table>`;
}
