import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Host, send, startOwnHost } from '../testing/testing';

const origin = 'https://app.example';
const test = suite<{ host: Host }>('CORS');

test.before(async (context) => {
  context.host = await startOwnHost({ corsOrigins: [origin, 'http://localhost:3000'] });
});

test.after(({ host }) => host.close());

const corsHeaders = (headers: Headers) =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'));

test('pages of an origin that is named may send requests, and read responses', async ({ host }) => {
  const asked = await send(`${host.url}/data`, {
    method: 'OPTIONS',
    headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
  });
  assert.is(asked.status, 204);
  assert.is(asked.headers.get('access-control-allow-origin'), origin);
  assert.match(asked.headers.get('access-control-allow-methods') ?? '', 'POST');
  assert.match(
    asked.headers.get('access-control-allow-headers') ?? '',
    /^Authorization, Content-Type/,
  );
  for (const path of ['/', '/time', '/nothing', '/time?x=1']) {
    const { headers } = await send(host.url + path, { headers: { Origin: origin } });
    assert.is(headers.get('access-control-allow-origin'), origin);
    assert.match(headers.get('access-control-expose-headers') ?? '', 'WWW-Authenticate');
    assert.is(headers.get('access-control-allow-credentials'), null);
    assert.is(headers.get('cache-control'), 'no-store');
  }
});

test('pages of another origin may not', async ({ host }) => {
  for (const other of ['https://app.example.org', 'http://app.example', `${origin}:8443`, 'null']) {
    const headers = { Origin: other, 'Access-Control-Request-Method': 'POST' };
    for (const method of ['OPTIONS', 'GET']) {
      assert.equal(corsHeaders((await send(`${host.url}/data`, { method, headers })).headers), []);
    }
  }
  assert.equal(corsHeaders((await send(host.url)).headers), []);
});

test('by default nobody may', async () => {
  const { url, close } = await startOwnHost();
  const headers = { Origin: origin, 'Access-Control-Request-Method': 'GET' };
  for (const method of ['OPTIONS', 'GET']) {
    assert.equal(corsHeaders((await send(`${url}/time`, { method, headers })).headers), []);
  }
  await close();
});

test.run();
