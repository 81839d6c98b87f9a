import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const modules = join(__dirname, '../node_modules');

/** Runs uvu on one file of this text, with what makes it tell the truth. */
function run(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'uvu-test-'));
  writeFileSync(
    join(folder, 'a.test.js'),
    `const { suite, test } = require('${modules}/uvu');${text}`,
  );
  const preload = ['ts-node/register/transpile-only', join(__dirname, 'uvu.ts')];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(modules, 'uvu/bin.js'), ...preload.flatMap((name) => ['-r', name]), folder],
    { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' } },
  );
  rmSync(folder, { recursive: true });
  const counted = (name: string) => Number(new RegExp(`${name}: +(\\d+)`).exec(stdout)?.[1]);
  return { status, stderr, total: counted('Total'), passed: counted('Passed') };
}

for (const [hook, passed] of [
  ['before', 0],
  ['after', 2],
  ['after.each', 2],
] as const) {
  for (const made of ["suite('some')", 'test']) {
    test(`what ${hook} of ${made} throws is shown, and fails the run`, () => {
      const outcome = run(`
        const t = ${made};
        t.${hook}(async () => { throw new Error('no database'); });
        t('one', () => {});
        t('two', () => {});
        t.run();`);
      assert.is(outcome.status, 1);
      assert.match(outcome.stderr, 'Error: no database');
      assert.is(outcome.total, 2);
      assert.is(outcome.passed, passed);
    });
  }
}

test('a file that runs no test fails the run', () => {
  const { status, stderr } = run(`test('one', () => {});`);
  assert.is(status, 1);
  assert.match(stderr, 'a.test.js ran no test');
});

test('tests that pass, pass', () => {
  const outcome = run(`
    const t = suite('some');
    for (const hook of [t.before, t.before.each, t.after.each, t.after]) hook(() => {});
    t('one', () => {});
    t.run();`);
  assert.equal(outcome, { status: 0, stderr: '', total: 1, passed: 1 });
});

test.run();
