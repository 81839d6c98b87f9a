import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findByKey, parseApiKeys } from '../functions/auth/api-keys';

const createKey = (...args: string[]) =>
  spawnSync('npm', ['run', '--silent', 'key', '--', ...args], { encoding: 'utf8' });

test('npm run key prints the line of a key, and shows the key beside it', () => {
  const { status, stdout, stderr } = createKey('ci', 'data:read', 'data:write');
  assert.is(status, 0, stderr);
  assert.match(stdout, /^ci sha256:[0-9a-f]{64} data:read data:write\n$/);
  assert.match(stderr, 'went to standard output');
  assert.not.match(stderr, 'There is no function');
  const [key = ''] = /fk_ci_[\w-]+/.exec(stderr) ?? [];
  assert.is(findByKey(parseApiKeys(stdout), key)?.name, 'key:ci');
});

test('npm run key says how it is used', () => {
  for (const args of [[], ['ci'], ['a b', 'data:read'], ['ci', 'everything']]) {
    const { status, stdout, stderr } = createKey(...args);
    assert.is(status, 1);
    assert.is(stdout, '');
    assert.match(stderr, /^Use npm run key -- NAME SCOPE…/);
    assert.match(stderr, 'A scope is FUNCTION:read or FUNCTION:write');
  }
});

test('npm run key warns of a scope for a function that there is not', () => {
  const { status, stdout, stderr } = createKey('ci', 'nosuch:read', 'nosuch:write', 'data:read');
  assert.is(status, 0, stderr);
  assert.match(stdout, 'nosuch:read');
  assert.is(stderr.match(/There is no function nosuch; there are time and data\./g)?.length, 1);
});

test.run();
