import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A bar for each contender in each series. */
export interface Plot {
  title: string;
  scale: 'linear' | 'log';
  contenders: string[];
  series: { name: string; values: number[] }[];
}

/** Writes a report's files to the folder `report`, under a name. */
export function write(name: string, report: object, markdown: string, plot: Plot): void {
  const folder = join(__dirname, 'report');
  mkdirSync(folder, { recursive: true });
  const svg = execFileSync(process.execPath, [join(__dirname, 'plot.mjs')], {
    input: JSON.stringify(plot),
    encoding: 'utf8',
  });
  const files = {
    md: `${markdown}\n\n![${plot.title}](${name}.svg)\n`,
    json: JSON.stringify(report),
    svg,
  };
  for (const [extension, content] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.${extension}`), content);
  }
  console.error(`written to ${folder}`);
}
