import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchChart, benchReport } from './bench-report';
import { type ColdStartResults, coldStartChart, coldStartReport } from './cold-report';
import type { BenchResults } from './results';
import { reportFolder, writeReport } from './write-report';

// `npm run bench:report`: makes both reports again, from the last results.
const bench = read<BenchResults>('bench.json');
writeReport('bench', bench, benchReport(bench), benchChart(bench));

const cold = read<ColdStartResults>('cold.json');
writeReport('cold', cold, coldStartReport(cold), coldStartChart(cold));

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(reportFolder, name), 'utf8'));
}
