import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The colours, in light and dark, and what the classes of the charts look like. */
export const chartCss = readFileSync(join(__dirname, 'charts.css'), 'utf8');

/** Escapes text for HTML and SVG. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A number with at most three significant digits. */
export function shortNumber(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

/** A place on an axis as a percentage of its length. */
export function percent(place: number): string {
  return `${Number((100 * place).toFixed(2))}%`;
}

/** A picture of its own: transparent, in the colours of the scheme that the viewer prefers. */
export function svgFile(
  {
    title,
    description,
    width,
    height,
  }: Record<'title' | 'description', string> & Record<'width' | 'height', number>,
  content: string,
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escapeText(title)}</title>
<desc id="description">${escapeText(description)}</desc>
<style>
${chartCss}</style>
${content}
</svg>
`;
}
