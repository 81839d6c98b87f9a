import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BarChart, barChart } from '../common/charts/bar-chart';

/** The folder of the reports. */
export const reportFolder = join(__dirname, 'report');

/** Writes a report: as Markdown, as JSON and as a picture, under one name. */
export function writeReport(
  name: 'bench' | 'cold',
  results: object,
  markdown: string,
  chart: BarChart,
): void {
  mkdirSync(reportFolder, { recursive: true });
  const files = {
    md: `${markdown}\n\n![${chart.title}](${name}.svg)\n`,
    json: JSON.stringify(results),
    svg: barChart(chart),
  };
  for (const [extension, content] of Object.entries(files)) {
    writeFileSync(join(reportFolder, `${name}.${extension}`), content);
  }
  console.error(`The report is in ${reportFolder}.`);
}
