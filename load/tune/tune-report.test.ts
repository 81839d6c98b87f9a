import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Tuning, tuneReport } from './tune-report';

const file = join(__dirname, 'report/tune.json');
const tuning = JSON.parse(readFileSync(file, 'utf8')) as Tuning;

test('The report has a table for each load, with a row for each step.', () => {
  const html = tuneReport(tuning);
  const tables = [...html.matchAll(/<tbody>.*?<\/tbody>/gs)].map(([table]) => table);
  assert.equal(
    tables.map((table) => table.match(/<tr>/g)?.length),
    tuning.loads.map(({ steps }) => steps.length),
  );
  for (const { knee } of tuning.loads) assert.match(html, `${knee.target} in flight reach 90 %`);
});

test('The page is self-contained and escapes its data.', () => {
  const setup = { ...tuning.setup, machine: '<b>Model</b>' };
  const html = tuneReport({ ...tuning, setup });
  assert.not.match(html, /\b(src|href)=|@import|url\(/);
  assert.match(html, '&lt;b>Model');
  assert.not.match(html, '<b>Model');
});

test.run();
