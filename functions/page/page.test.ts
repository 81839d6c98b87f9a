import { createHash } from 'node:crypto';
import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Host, killProcesses, send, startOwnHost, startProcess } from '../testing/testing';
import { prefersHtml } from './page';

const browser =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

for (const [accept, isHtml] of [
  [browser, true],
  ['TEXT/HTML', true],
  ['text/html, */*;q=0.01', true],
  ['application/json;q=0.5, text/html', true],
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/*', false],
  ['application/json', false],
  ['application/json, text/html', false],
  ['application/json, text/html;q=0.9, */*;q=0.1', false],
  ['text/html;q=0.5, */*', false],
  ['text/html;q=0, */*;q=0.8', false],
  ['text/html;q=x', false],
] as const) {
  test(`Accept: ${accept} gets ${isHtml ? 'the page' : 'JSON'}`, () => {
    assert.is(prefersHtml(accept), isHtml);
  });
}

test.run();

const served = suite<{ host: Host }>('GET /');

served.before(async (context) => {
  context.host = await startOwnHost();
});

served.after(({ host }) => host.close());

served('browsers get the page, programs JSON, and caches are told', async ({ host }) => {
  const page = await send(host.url, { headers: { Accept: browser } });
  assert.is(page.status, 200);
  assert.is(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.is(page.headers.get('vary'), 'Accept');
  assert.match(page.text, /^<!doctype html>/);
  const json = await send(host.url);
  assert.is(json.headers.get('content-type'), 'application/json');
  assert.is(json.headers.get('vary'), 'Accept');
  assert.is(json.headers.get('content-security-policy'), null);
  const head = await send(host.url, { method: 'HEAD', headers: { Accept: browser } });
  assert.is(head.headers.get('content-length'), page.headers.get('content-length'));
});

served('the page has 40 KB at most, and loads nothing', async ({ host }) => {
  const { text } = await send(host.url, { headers: { Accept: browser } });
  assert.ok(Buffer.byteLength(text) <= 40_000, `${Buffer.byteLength(text)} bytes`);
  const loaded = [...text.matchAll(/\s(?:src|href|action)=["']?([^"'\s>]+)/g)].map(([, to]) => to);
  for (const to of loaded) assert.match(to ?? '', /^(#|data:)/);
  assert.not.match(text, /@import|url\(/);
});

served('its policy allows its own script and style, by their hashes', async ({ host }) => {
  const { text, headers } = await send(host.url, { headers: { Accept: browser } });
  const policy = headers.get('content-security-policy') ?? '';
  assert.not.match(policy, /unsafe|\*|https?:/);
  assert.match(policy, "default-src 'none'");
  for (const tag of ['script', 'style']) {
    const [, content = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(text) ?? [];
    const hash = createHash('sha256').update(content).digest('base64');
    assert.ok(content.length > 1000);
    assert.match(policy, `${tag}-src 'sha256-${hash}'`);
  }
});

served(
  'X-Connection: close ends the connection, so that a browser opens another',
  async ({ host }) => {
    const connection = async (headers: HeadersInit) =>
      (await send(`${host.url}/time`, { headers })).headers.get('connection');
    assert.is(await connection({ 'X-Connection': 'close' }), 'close');
    assert.is(await connection({}), 'keep-alive');
  },
);

served.after.each(killProcesses);

served('the built service has the page in a file of its own', async () => {
  const { url } = await startProcess();
  const { text } = await send(url, { headers: { Accept: browser } });
  assert.match(text, /^<!doctype html>/);
});

served.run();
