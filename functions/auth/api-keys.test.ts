import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { send, startOwnHost, until } from '../testing/testing';
import { createApiKey, findByKey, parseApiKeys } from './api-keys';

const ci = createApiKey('ci', ['time:read', 'data:write']);

test('a key is found by its hash, with name and scopes', () => {
  const other = createApiKey('other-1', ['time:read']);
  const withdrawn = createApiKey('withdrawn', ['time:read']);
  const comments = ['\r', '\u2028', '\u2029'].map((end) => `# no key:${end}${withdrawn.line}\n`);
  const keys = parseApiKeys(
    `# two keys\n\n${ci.line} # for the pipeline\r\n  ${other.line}\n${comments.join('')}`,
  );
  assert.is(findByKey(keys, withdrawn.key), undefined);
  assert.is(findByKey(keys, ci.key)?.name, 'key:ci');
  assert.equal([...(findByKey(keys, ci.key)?.scopes ?? [])], ['time:read', 'data:write']);
  assert.is(findByKey(keys, other.key)?.name, 'key:other-1');
  assert.not.match(ci.line, ci.key.slice(6));
});

test('another secret, another name or anything else is not', () => {
  const keys = parseApiKeys(ci.line);
  const last = ci.key.endsWith('A') ? 'B' : 'A';
  for (const key of [
    ci.key.slice(0, -1) + last,
    ci.key.slice(0, -1),
    `${ci.key}A`,
    ci.key.replace('_ci_', '_cd_'),
    ci.key.replace('_ci_', '__'),
    ci.key.toUpperCase(),
    `${ci.key}\n`,
    'fk_',
    ci.line.split(' ')[1] as string,
  ]) {
    assert.is(findByKey(keys, key), undefined, key);
  }
});

test('two keys of one name are both accepted, so that one can replace the other', () => {
  const next = createApiKey('ci', ['time:read']);
  const keys = parseApiKeys(`${ci.line}\n${next.line}`);
  assert.ok(findByKey(keys, ci.key)?.scopes?.has('data:write'));
  assert.not(findByKey(keys, next.key)?.scopes?.has('data:write'));
});

test('a line that is wrong is named, but not shown', () => {
  const [name, digest] = ci.line.split(' ') as [string, string];
  for (const line of [
    'ci',
    `${name} ${digest}`,
    `${name} ${digest.slice(0, -1)} time:read`,
    `${name} ${digest.slice(7)} time:read`,
    `Ci_1 ${digest} time:read`,
    `${name} ${digest} time`,
    `${name} ${digest} time:read,data:read`,
    `other ${digest} time:read`,
    `${name} ${ci.key} time:read`,
  ]) {
    assert.throws(
      () => parseApiKeys(`${ci.line}\n${line}`),
      (error: Error) => /^line 2 /.test(error.message) && !error.message.includes(digest.slice(9)),
    );
  }
  assert.throws(() => createApiKey('a b', ['time:read']));
  assert.throws(() => createApiKey('ci', []));
});

test.run();

// As the kubelet does it: the file is a link into a folder that is itself a link, which is replaced.
const mounted = suite('a mounted Secret');
const folder = mkdtempSync(join(tmpdir(), 'api-keys-test-'));
let versions = 0;

function mount(text: string): void {
  const version = `..version-${++versions}`;
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, 'keys'), text);
  symlinkSync(version, join(folder, '..data-new'));
  renameSync(join(folder, '..data-new'), join(folder, '..data'));
}

mounted.after(() => rmSync(folder, { recursive: true }));

mounted('is read again when it changes, and kept when it is broken', async () => {
  const next = createApiKey('next', ['time:read']);
  mount(ci.line);
  const file = join(folder, 'keys');
  symlinkSync('..data/keys', file);
  const { url, close } = await startOwnHost({ auth: { apiKeysFile: file } });
  const status = async (key: string) =>
    (await send(`${url}/time`, { headers: { Authorization: `Bearer ${key}` } })).status;
  try {
    assert.is(await status(ci.key), 200);
    assert.is(await status(next.key), 401);
    mount(`${ci.line}\n${next.line}`);
    await until(async () => (await status(next.key)) === 200);
    assert.is(await status(ci.key), 200);
    mount('broken');
    mount(next.line);
    await until(async () => (await status(ci.key)) === 401);
    assert.is(await status(next.key), 200);
  } finally {
    await close();
  }
});

mounted.run();
