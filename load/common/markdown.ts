/** A Markdown table; the first row is its header. */
export function markdownTable([header = [], ...body]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [header, header.map(() => '---'), ...body].map(line).join('\n');
}

/** Formats a number with at most `digits` significant digits, and never with an exponent. */
export function formatNumber(value: number, digits: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: digits, useGrouping: false });
}
