import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const modules = join(__dirname, '../node_modules');
const preloaded = join(__dirname, 'uvu.ts');

/** Runs uvu on one file with this text, with tools/uvu.ts preloaded. */
function run(text: string, env: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'uvu-test-'));
  writeFileSync(
    join(folder, 'a.test.js'),
    `const { suite, test } = require('${modules}/uvu');
    const { suiteThatNeeds } = require('${preloaded}');${text}`,
  );
  const preload = ['ts-node/register/transpile-only', preloaded];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(modules, 'uvu/bin.js'), ...preload.flatMap((name) => ['-r', name]), folder],
    { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0', ...env } },
  );
  rmSync(folder, { recursive: true });
  const output = stripVTControlCharacters(stdout);
  const count = (name: string) => Number(new RegExp(`${name}: +(\\d+)`).exec(output)?.[1]);
  const [total, passed, skipped] = ['Total', 'Passed', 'Skipped'].map(count);
  return { status, stderr, total, passed, skipped };
}

for (const [hook, passed] of [
  ['before', 0],
  ['after', 2],
  ['after.each', 2],
] as const) {
  for (const suite of ["suite('some')", 'test']) {
    test(`an error in ${hook} of ${suite} is printed and fails the run`, () => {
      const outcome = run(`
        const t = ${suite};
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

for (const suite of ["suite('some')", 'test']) {
  test(`a test of ${suite} that never ends fails, and the others run`, () => {
    const { status, total, passed } = run(`
      require('${preloaded}').limitTests(50);
      const t = ${suite};
      t('one', () => new Promise(() => {}));
      t('two', async () => {});
      t.run();`);
    assert.equal([status, total, passed], [1, 2, 1]);
  });
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
  assert.equal(outcome, { status: 0, stderr: '', total: 1, passed: 1, skipped: 0 });
});

const needy = (missing: string) => `
  const t = suiteThatNeeds(${missing}, 'load');
  for (const hook of [t.before, t.before.each, t.after.each, t.after]) {
    hook(() => { if (${missing}) throw new Error('spawn k6 ENOENT'); });
  }
  t('one', () => {});
  t('two', () => {});
  t.run();
  test('three', () => {});
  test.run();`;

test('a suite that needs a missing program is skipped, counted, and says what to install', () => {
  assert.equal(run(needy("'k6 (https://k6.io)'"), { CI: '' }), {
    status: 0,
    stderr: 'Skipped: load. To run it, install k6 (https://k6.io).\n',
    total: 1,
    passed: 1,
    skipped: 2,
  });
});

test('where CI is set, it fails', () => {
  const outcome = run(needy("'k6'"), { CI: 'true' });
  assert.is(outcome.status, 1);
  assert.match(outcome.stderr, 'Error: spawn k6 ENOENT');
});

test('with the program, it runs', () => {
  const outcome = run(needy('undefined'), { CI: '' });
  assert.equal(outcome, { status: 0, stderr: '', total: 3, passed: 3, skipped: 0 });
});

test.run();
