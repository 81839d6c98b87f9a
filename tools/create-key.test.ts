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
  const [key = ''] = /fk_ci_[\w-]+/.exec(stderr) ?? [];
  assert.is(findByKey(parseApiKeys(stdout), key)?.name, 'key:ci');
});

test('npm run key says how it is used', () => {
  for (const args of [[], ['ci'], ['a b', 'data:read'], ['ci', 'everything']]) {
    const { status, stdout, stderr } = createKey(...args);
    assert.is(status, 1);
    assert.is(stdout, '');
    assert.match(stderr, /^Use npm run key -- NAME SCOPE…/);
  }
});

test.run();
