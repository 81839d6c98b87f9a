import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getFunction } from '@google-cloud/functions-framework/testing';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../tools/network/ports';
import { createApiKey } from './auth/api-keys';
import { app } from './index';
import { post, send, until } from './testing/testing';

test('the functions are registered with the framework', () => {
  assert.is(getFunction('app'), app);
  for (const name of ['data', 'time']) assert.type(getFunction(name), 'function');
});

test('time runs under the framework alone, without a database', async () => {
  await withFramework('time', { MONGODB_URI: '' }, async (url) => {
    const { status, json } = await send(`${url}/?tz=Asia/Tokyo`);
    assert.is(status, 200);
    assert.match(json.time, /\+09:00$/);
    const nothing = await send(`${url}/data`);
    assert.is(nothing.status, 404);
    assert.is(nothing.json.detail, 'There is nothing at this path.');
  });
});

test('data runs under the framework alone, mounted at /', async () => {
  await withFramework('data', {}, async (url) => {
    const posted = await post(`${url}/`, { framework: true });
    assert.is(posted.status, 201, posted.text);
    assert.is(posted.headers.get('location'), `/${posted.json.id}`);
    assert.equal((await send(`${url}/${posted.json.id}`)).json, posted.json);
    assert.is((await send(`${url}/?limit=1`)).json.items.length, 1);
    assert.is((await send(`${url}/data`)).status, 404);
  });
});

test('LOG_LEVEL counts under the framework, too', () => {
  const script = `require('./functions/index').parts();
    console.log(require('./functions/runtime/log').log.level);`;
  const { stdout } = spawnSync(
    process.execPath,
    ['-r', 'ts-node/register/transpile-only', '-e', script],
    { env: { ...process.env, LOG_LEVEL: 'error' }, encoding: 'utf8' },
  );
  assert.is(stdout, 'error\n');
});

test('time and data want a token under the framework, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'index-test-'));
  const { key, line } = createApiKey('caller', ['time:read', 'data:write']);
  writeFileSync(join(folder, 'keys'), line);
  const env = { AUTH_API_KEYS_FILE: join(folder, 'keys') };
  const headers = { Authorization: `Bearer ${key}` };
  try {
    await withFramework('time', { ...env, MONGODB_URI: '' }, async (url) => {
      assert.is((await send(url)).status, 401);
      assert.is((await send(url, { headers })).status, 200);
    });
    await withFramework('data', env, async (url) => {
      assert.is((await post(url, {})).status, 401);
      assert.is((await post(url, {}, headers)).status, 201);
      assert.is((await send(url, { headers })).status, 403);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a mistake in who may call keeps the framework from starting', async () => {
  const child = spawn(
    process.execPath,
    ['node_modules/.bin/functions-framework', '--target=time', `--port=${await freePort()}`],
    { env: { ...process.env, AUTH_AUDIENCE: 'functions' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr.on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  assert.is.not(code, 0);
  assert.match(output, 'AUTH_AUDIENCE: set this together with AUTH_ISSUER');
});

test.run();

async function withFramework(
  target: string,
  env: Record<string, string>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['node_modules/.bin/functions-framework', `--target=${target}`, `--port=${port}`],
    { env: { ...process.env, ...env }, stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  try {
    await until(async () => (await send(`${url}/`)).status < 500);
    await use(url);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
