import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { killProcesses, type Process, startProcess } from '../functions/testing/testing';
import { freePort } from '../tools/network/ports';
import { suiteThatNeeds } from '../tools/uvu';
import { findK6, type K6Run, missingForK6, runK6 } from './common/k6';
import { sample } from './common/run-and-read';

// Short runs at any speed: this tests what fails a run, not how fast the service is.
const anySpeed = { P95_MS: '0' };
const short: Record<string, Record<string, string>> = {
  'smoke.js': { DURATION: '2s', RATE: '20' },
  'soak.js': { DURATION: '2s', RATE: '20' },
  'spike.js': { WARM_UP: '1s', RISE: '1s', HOLD: '1s', FALL: '1s', QUIET: '1s' },
};

const test = suiteThatNeeds(missingForK6(), 'k6 scripts');
let k6: string;
let service: Process;

test.before(async () => {
  k6 = await findK6(console.error);
  service = await startProcess({ LOG_REQUESTS: 'false' });
});
test.after(killProcesses);

for (const [script, settings] of Object.entries(short)) {
  test(`${script} passes`, async () => {
    const { code, output } = await run(script, { ...settings, BASE_URL: service.url });
    assert.is(code, 0, output);
    for (const checked of [
      'the time is returned',
      'what was posted is read',
      'documents are listed',
    ]) {
      assert.match(output, `✓ ${checked}`);
    }
  });

  test(`${script} fails when every 50th request fails`, async () => {
    const proxy = await startProxy((n) => n % 50 === 0);
    const { code, output } = await run(script, { ...settings, RATE: '50', BASE_URL: proxy.url });
    proxy.server.close();
    assert.is(code, 99, output);
    assert.match(output, /✗ 'rate<=0.01' rate=[12]\.\d+%/);
  });
}

test('a run fails when a document that is read differs from what was posted', async () => {
  const proxy = await startProxy(
    () => false,
    (body) => body.replace('"tea"', '"coffee"'),
  );
  const { code, output } = await run('smoke.js', { ...short['smoke.js'], BASE_URL: proxy.url });
  proxy.server.close();
  assert.is(code, 99, output);
  assert.match(output, '✗ what was posted is read');
  assert.match(output, /http_req_failed\.*: 0\.00%/);
});

test('a run fails when it misses its latency threshold', async () => {
  const { code, output } = await run('smoke.js', {
    ...short['smoke.js'],
    BASE_URL: service.url,
    P95_MS: '0.001',
  });
  assert.is(code, 99, output);
  assert.match(output, "✗ 'p(95)<0.001'");
});

test('a sample has all requests that were sent, and which of them failed', async () => {
  const proxy = await startProxy((n) => n % 10 === 0);
  const settings = { ...short['soak.js'], BASE_URL: proxy.url, HOST: '', MIX: '1:0:0' };
  const { requests } = await sample(k6, 'soak.js', settings);
  proxy.server.close();
  assert.ok(requests.length >= 40, `${requests.length} requests`);
  const failed = requests.filter(({ answered }) => !answered);
  // the proxy counts one more, that of setup()
  assert.is(failed.length, Math.floor((requests.length + 1) / 10));
});

test('setup stops on a target that does not answer', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  for (const script of Object.keys(short)) {
    const { code, output } = await run(script, { BASE_URL: url });
    assert.is(code, 108, output);
    assert.match(output, `The service at ${url} does not answer`);
    assert.not.match(output, /\biterations\.*:/);
  }
});

test.run();

function run(script: string, settings: Record<string, string>): Promise<K6Run> {
  return runK6(k6, script, { ...anySpeed, HOST: '', ...settings });
}

/**
 * Starts a proxy in front of the service.
 *
 * @param fails whether the n-th request gets a 500
 * @param change changes the body of a response
 */
async function startProxy(
  fails: (n: number) => boolean,
  change = (body: string) => body,
): Promise<{ url: string; server: Server }> {
  let n = 0;
  const server = createServer((req, res) => {
    n++;
    if (fails(n)) {
      req.resume();
      res.writeHead(500).end();
      return;
    }
    const { method, url, headers } = req;
    const forwarded = request(service.url + url, { method: method ?? 'GET', headers });
    forwarded.on('response', async (response: IncomingMessage) => {
      const body = change((await response.setEncoding('utf8').toArray()).join(''));
      const { 'content-length': _, ...kept } = response.headers;
      res.writeHead(response.statusCode ?? 500, kept).end(body);
    });
    req.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
