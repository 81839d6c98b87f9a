import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A bar chart: a bar per contender and series. */
export interface Plot {
  title: string;
  scale: 'linear' | 'log';
  contenders: string[];
  series: { name: string; values: number[] }[];
}

/** Writes a report to the folder `report`: as Markdown, as JSON and as a plot, under one name. */
export function writeReport(name: string, results: object, markdown: string, plot: Plot): void {
  const folder = join(__dirname, 'report');
  mkdirSync(folder, { recursive: true });
  const svg = execFileSync(process.execPath, [join(__dirname, 'plot.mjs')], {
    input: JSON.stringify(plot),
    encoding: 'utf8',
  });
  const files = {
    md: `${markdown}\n\n![${plot.title}](${name}.svg)\n`,
    json: JSON.stringify(results),
    svg,
  };
  for (const [extension, content] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.${extension}`), content);
  }
  console.error(`The report is in ${folder}.`);
}
