import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { startProxy } from '../../tools/network/faulty-proxy';
import { host as address, lastingPort } from '../../tools/network/ports';
import { findChromium, installChromium } from '../../tools/programs/chromium';
import { suiteThatNeeds } from '../../tools/uvu';
import { createApiKey } from '../auth/api-keys';
import { noParameters } from '../http/query';
import { sendJson } from '../http/respond';
import { operation, router } from '../http/router';
import { serve } from '../http/server';
import { parts } from '../index';
import {
  type Host,
  holdDatabase,
  killProcesses,
  post,
  send,
  startOwnHost,
  startProcess,
  startService,
  until,
} from '../testing/testing';
import { sendPageOrJson } from './page';

const executablePath = findChromium();
const test = suiteThatNeeds(
  executablePath ? undefined : installChromium,
  'the page in a browser',
  true,
);

/** A name that leads here, which a browser takes for another machine. */
const elsewhere = 'functions.example';

const { mongo } = parts().config;
let browser: Browser;
let host: Host;
const opened: Page[] = [];

/** What the current test has started, also if it fails: open servers would keep the process alive. */
const cleanups: (() => unknown)[] = [];
const closeLater = <T extends { close(): unknown }>(started: T): T => {
  cleanups.push(() => started.close());
  return started;
};

/** Errors in the consoles of all pages, but for lines that tell of a response with an error status. */
let errors: string[] = [];

test.before(async () => {
  if (!executablePath) throw new Error(`Install ${installChromium}.`);
  browser = await chromium.launch({
    executablePath,
    // nothing but the page itself may ask other hosts
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      `--host-resolver-rules=MAP ${elsewhere} ${address}`,
    ],
  });
  host = await startService({ databaseName: `${mongo.databaseName}-page` });
  await send(`${host.url}/data`); // answers as soon as the database is reached
});

test.after.each(async () => {
  for (const page of opened.splice(0)) await page.context().close();
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await killProcesses();
  const found = errors;
  errors = [];
  assert.equal(found, []);
});

test.after(async () => {
  await browser?.close();
  await host?.close();
});

async function newContext(options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(120_000); // a busy machine takes longer than the usual 30 s
  return context;
}

async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await newContext(options);
  await context.addInitScript(axe.source);
  const page = await context.newPage();
  opened.push(page);
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    const isStatus = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isStatus) errors.push(message.text());
  });
  await page.goto(url);
  return page;
}

/** Waits until an element's text matches. */
async function shows(page: Page, selector: string, text: RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}

async function fill(page: Page, text: string): Promise<void> {
  await page.getByLabel('A JSON object').fill(text);
  await page.keyboard.press('Control+Enter');
}

const documents = '#documents li';

test('it shows the time, ticking, and the routes, and asks no other host', async () => {
  const context = await newContext();
  const page = await context.newPage();
  opened.push(page);
  const asked = new Set<string>();
  page.on('request', (request) => asked.add(new URL(request.url()).host || request.url()));
  page.on('console', (message) => errors.push(message.text()));
  await page.goto(host.url);
  await shows(page, '#state', /Serving/);
  const clock = page.locator('#clock');
  await shows(page, '#clock', /^\d\d:\d\d:\d\d$/);
  const first = await clock.textContent();
  await clock.filter({ hasNotText: first ?? '' }).waitFor();
  const { routes } = (await send(host.url)).json;
  for (const route of routes) {
    const text = new RegExp(`^${route.replace(' ', '\\s*').replace(/[{}]/g, '\\$&')}`);
    await shows(page, '#operations li', text);
  }
  const icon = [...asked].filter((to) => to.startsWith('data:'));
  assert.equal([...asked].sort(), [new URL(host.url).host, ...icon].sort());
});

test('a document is posted, and listed first', async () => {
  const page = await open(host.url);
  await fill(page, '{"order": 7}');
  await shows(page, '#stored', /^Stored as /);
  await shows(page, `${documents}:first-child`, /{"order":7}/);
  const link = page.locator('#stored a');
  const stored = await send(`${host.url}/${await link.getAttribute('href')}`);
  assert.equal(stored.json.data, { order: 7 });
});

test('a problem is shown with its field, which is selected', async () => {
  const page = await open(host.url);
  const field = page.getByLabel('A JSON object');
  await fill(page, '{"lines": [{"article": "tea", "price": 1e999}]}');
  await shows(page, '#problem', /422.*lines → 0 → price.*too large for a double/);
  const selected = () => page.evaluate(() => getSelection()?.toString());
  assert.is(await selected(), '"price": 1e999');
  assert.is(await field.getAttribute('aria-invalid'), 'true');
  assert.match((await field.getAttribute('aria-describedby')) ?? '', /^problem /);

  await fill(page, '{"lines": 1 oh}');
  await shows(page, '#problem', /400.*not JSON.*malformed-json/);
  assert.is(await selected(), 'o');

  await fill(page, '{"lines": []}');
  await shows(page, '#stored', /Stored as/);
  assert.is(await page.locator('#problem').textContent(), '');
  assert.is(await field.getAttribute('aria-invalid'), null);
});

test('it asks for a token where one is wanted, and keeps it in its memory only', async () => {
  const { url, reader } = await startWithReader();
  const page = await open(url);
  await shows(page, '#state', /needs a token/);
  await shows(page, '#documents-state', /^Enter a token above to see the documents\.$/);
  await fill(page, '{"a": 1}');
  await shows(page, '#problem', /401.*Enter a token above, then post again\./);
  const field = page.getByLabel('A token or an API key');
  const use = async (token: string) => {
    await field.fill(token);
    await page.keyboard.press('Enter');
  };
  await use(reader.key.replace('_reader_', '_writer_'));
  await shows(page, '#token-problem', /no such API key/);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(),
  );
  assert.equal(
    violations.map(({ id }) => id),
    [],
  );
  await use(reader.key);
  await shows(page, '#clock', /^\d\d:\d\d:\d\d$/);
  await shows(page, '#state', /Serving/);
  assert.not(await field.isVisible());
  await fill(page, '{"a": 1}');
  await shows(page, '#problem', /403.*scope data:write/);
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
  );
  assert.not.match(kept + (await page.content()), reader.key.slice(-20));
  await page.reload();
  await field.waitFor();
});

test('it warns that a token can be read on its way, unless it is for this machine or has TLS', async () => {
  const url = new URL((await startWithReader()).url);
  for (const [hostname, isShown] of [
    [elsewhere, true],
    ['localhost', false],
  ] as const) {
    url.hostname = hostname;
    const page = await open(url.href);
    await page.getByLabel('A token or an API key').waitFor();
    const risk = await page.locator('#token-risk').textContent();
    assert.is(risk?.includes('loaded without TLS'), isShown, hostname);
  }
});

test('a post whose outcome is unknown is sent again under the same key', async () => {
  const proxy = closeLater(await startProxy(Number(new URL(host.url).port)));
  const page = await open(`http://${address}:${proxy.port}`);
  await shows(page, '#state', /Serving/);
  const text = `{"unsettled": "${crypto.randomUUID()}"}`;
  proxy.refuse();
  await fill(page, text);
  await shows(page, '#problem', /no answer.*stored once/);
  const keys: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') keys.push(request.headers()['idempotency-key'] ?? '');
  });
  await page.keyboard.press('Control+Enter');
  await shows(page, '#problem', /no answer/);
  await proxy.accept();
  await shows(page, '#state', /Serving/);
  await page.keyboard.press('Control+Enter');
  await shows(page, '#stored', /Stored as/);
  await fill(page, '{"another": true}');
  await shows(page, `${documents}:first-child`, /another/);
  assert.is(keys.length, 3);
  assert.is(keys[0], keys[1]);
  assert.is.not(keys[1], keys[2]);
});

test('documents are paged, by keyboard, and new ones appear on the first page', async () => {
  const service = closeLater(await startService({ databaseName: `${mongo.databaseName}-paging` }));
  for (let i = 1; i <= 21; i++) await post(`${service.url}/data`, { i });
  const page = await open(service.url);
  const shown = async () =>
    (await page.locator(`${documents} code`).allTextContents()).map((text) => JSON.parse(text).i);
  const go = async (name: string, number: number) => {
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
    await shows(page, '#page-number', new RegExp(`^Page ${number}$`));
  };
  await shows(page, documents, /"i":21/);
  assert.equal(await shown(), [21, 20, 19, 18, 17, 16, 15, 14, 13, 12]);
  await go('Older', 2);
  await post(`${service.url}/data`, { i: 22 });
  assert.equal(await shown(), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  await go('Older', 3);
  assert.equal(await shown(), [1]);
  assert.is(await page.locator('#older').getAttribute('aria-disabled'), 'true');
  await go('Newer', 2);
  await go('Newer', 1);
  await post(`${service.url}/data`, { i: 23 });
  await shows(page, documents, /"i":23/);
  assert.equal(await shown(), [23, 22, 21, 20, 19, 18, 17, 16, 15, 14]);
});

test('what is open in the list stays open when new documents come', async () => {
  await post(`${host.url}/data`, { kept: true });
  const page = await open(host.url);
  const kept = page.locator(documents).filter({ hasText: 'kept' }).first();
  await kept.locator('summary').focus();
  await page.keyboard.press('Enter');
  await kept.locator('pre').waitFor();
  await post(`${host.url}/data`, { next: true });
  await shows(page, `${documents}:first-child`, /next/);
  assert.ok(await kept.locator('pre').isVisible());
  assert.ok(
    await kept.locator('summary').evaluate((summary) => summary === document.activeElement),
  );
});

test('documents are text, never markup', async () => {
  const hostile = {
    '<script>attacked = 1</script>': '<img src=x onerror="attacked = 2">',
    '</script><svg onload=alert(1)>': ['javascript:alert(1)', '<a href="//evil.example">a</a>'],
  };
  const text = JSON.stringify(hostile).replace('{', '{"__proto__": {"attacked": 3}, ');
  const { json } = await post(`${host.url}/data`, text);
  const page = await open(host.url);
  const item = page.locator(documents).first();
  await item.locator('summary').click();
  const shown = await item.locator('pre').textContent();
  assert.equal(JSON.parse(shown ?? ''), json.data);
  assert.match(shown ?? '', '<script>attacked = 1</script>');
  assert.is(await page.locator('#documents :is(script, img, svg, a[href*=evil])').count(), 0);
  assert.is(await page.evaluate(() => (window as { attacked?: number }).attacked), undefined);
});

test('its policy blocks inline script and style, markup and other hosts', async () => {
  const context = await newContext();
  const page = await context.newPage();
  opened.push(page);
  await context.addInitScript(() => {
    const found: string[] = [];
    Object.assign(window, { found });
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
      found.push(effectiveDirective);
    });
  });
  // as if it let markup in
  await page.route(`${host.url}/`, async (route) => {
    const response = await route.fetch();
    const injected =
      '<script>window.attacked = 1</script><img src="//evil.example/a.png">' +
      '<button id="injected" onclick="window.attacked = 2">a</button>' +
      '<style>body { display: none }</style>';
    await route.fulfill({ response, body: `${await response.text()}${injected}` });
  });
  await page.goto(`${host.url}/`);
  await shows(page, '#state', /Serving/);
  await page.locator('#injected').click();
  await page.evaluate(async () => {
    await fetch('//evil.example/').catch(() => {});
    try {
      document.body.innerHTML = '<b>markup</b>';
    } catch {
      // refused by Trusted Types
    }
  });
  const result = () =>
    page.evaluate(() => {
      const { found, attacked } = window as unknown as { found: string[]; attacked?: number };
      return { found: [...new Set(found)].sort(), attacked };
    });
  const directives = [
    'connect-src',
    'img-src',
    'require-trusted-types-for',
    'script-src-attr',
    'script-src-elem',
    'style-src-elem',
  ];
  await until(async () => (await result()).found.length >= directives.length);
  assert.equal(await result(), { found: directives, attacked: undefined });
});

test('the strip shows who answers: two replicas behind one address, then three, then one', async () => {
  const env = { MONGO_DATABASE: mongo.databaseName };
  const revision = 'functions-00002';
  const replicas = [
    await startProcess({ ...env, HOSTNAME: 'functions-hpa-7d9c5b9c8-x7k2p', K_REVISION: '' }),
    ...(await Promise.all(
      ['9hvnt', '4tqzn'].map((name) =>
        startProcess({
          ...env,
          HOSTNAME: `${revision}-deployment-6c8f7d9b5-${name}`,
          K_REVISION: revision,
        }),
      ),
    )),
  ];
  const ports = replicas.map(({ url }) => Number(new URL(url).port));
  const balancer = closeLater(await startBalancer(ports.slice(0, 2)));
  const page = await open('about:blank');
  await page.clock.install();
  await page.goto(balancer.url);
  await shows(page, '#replica-count', /^2 replicas$/);
  await shows(page, '#replicas li', /^9hvnt Knative · functions-00002[\d.]+ ms$/);
  await shows(page, '#replicas li', /^x7k2p functions-hpa · 7d9c5b9c8[\d.]+ ms$/);
  // seen only by new connections
  balancer.ports.push(...ports.slice(2));
  await shows(page, '#replica-count', /^3 replicas$/);
  balancer.ports.splice(1);
  await page.clock.fastForward(30_000);
  await page.locator('#replicas li.quiet', { hasText: '9hvnt' }).waitFor();
  await page.clock.fastForward(30_000);
  await shows(page, '#replica-count', /^1 replica$/);
  assert.is(await page.locator('#replicas li', { hasText: '9hvnt' }).count(), 0);
});

test('it says that the database is unreachable, and recovers', async () => {
  const target = new URL(mongo.uri.replace('mongodb:', 'http:'));
  const proxy = closeLater(await startProxy(Number(target.port)));
  const uri = mongo.uri.replace(target.host, `${address}:${proxy.port}`);
  const service = closeLater(await startService({ uri, timeoutMs: 2000 }));
  let id = '';
  await until(async () => {
    const { status, json } = await post(`${service.url}/data`, { before: true });
    id = json.id;
    return status === 201;
  });
  const page = await open(service.url);
  await shows(page, documents, /"before":true/);
  proxy.refuse();
  await shows(page, '#state', /The database is unreachable/);
  await shows(page, '#documents-state', /^As of .* MongoDB is unreachable/);
  await fill(page, '{"meanwhile": true}');
  await shows(page, '#problem', /503.*stored/);
  assert.is(await page.getByLabel('A JSON object').getAttribute('aria-invalid'), 'false');
  assert.match((await send(`${service.url}/time`)).json.time, /Z$/);
  await proxy.accept();
  await shows(page, '#state', /Serving/);
  await page.keyboard.press('Control+Enter');
  await shows(page, `${documents}:first-child`, /"meanwhile":true/);
  assert.is(await page.locator('#documents-state').textContent(), '');
  assert.ok((await send(`${service.url}/data/${id}`)).status === 200);
});

test('it says that the service is overloaded, and recovers', async () => {
  const held = holdDatabase();
  const memoryBudgetBytes = 16 * 1024 ** 2;
  const options = { memoryBudgetBytes, mongo: { ...mongo, timeoutMs: 200 } };
  const service = closeLater(await startOwnHost(options, held.database));
  cleanups.unshift(held.release);
  const reads = [1, 200].map((limit) => send(`${service.url}/data?limit=${limit}`));
  await held.called;
  const page = await open(service.url);
  await shows(page, '#state', /Overloaded/);
  held.release();
  await Promise.all(reads);
  await shows(page, '#state', /Serving/);
});

test('it says that a replica drains, then that none answers, and recovers', async () => {
  const port = await lastingPort();
  const draining = await startOwnHost({ port });
  const page = await open(`http://${address}:${port}`);
  await shows(page, '#state', /Serving/);
  const drained = draining.drain(6000, 0);
  cleanups.push(() => drained);
  await shows(page, '#state', /Draining/);
  await drained;
  await shows(page, '#state', /The service does not answer/);
  await shows(page, '#replicas li.failed', /^failed/);
  closeLater(await startOwnHost({ port }));
  await shows(page, '#state', /Serving/);
});

test('the API is read from the OpenAPI document, where there is one', async () => {
  const openapi = {
    paths: {
      '/tea/{kind}': {
        get: { responses: {} },
        put: {
          summary: 'Makes **<b>tea</b>**',
          parameters: [{ $ref: '#/components/parameters/kind' }],
          requestBody: { content: { 'application/json': {} } },
          responses: { 418: { description: '- `a-teapot`: no tea\n- `empty`: not yet' } },
        },
      },
    },
    components: {
      parameters: { kind: { name: 'kind', in: 'path', required: true, description: '`green`' } },
    },
  };
  const value = { name: 'tea', version: '1', revision: 'unknown', routes: ['GET /openapi.json'] };
  const app = router({
    '/': { GET: operation(noParameters, ({ req, res }) => sendPageOrJson(req, res, value)) },
    '/openapi.json': { GET: operation(noParameters, ({ res }) => sendJson(res, 200, openapi)) },
  });
  const server = await serve(app, { ...parts().config, port: 0 }, { draining: false });
  cleanups.push(() => server.drain(0, 0));
  const page = await open(`http://${address}:${server.port}`);
  await shows(page, 'h1', /^tea$/);
  await shows(page, '#operations summary', /^GET\/tea\/{kind}$/);
  await page.locator('#operations summary', { hasText: 'PUT' }).press('Enter');
  await shows(page, '#operations summary', /^PUT\/tea\/{kind}Makes \*\*<b>tea<\/b>\*\*$/);
  await shows(page, '#operations dl', /kindpath, required · green.*bodyapplication\/json/);
  await shows(page, '#operations dl', /418a-teapot: no tea\nempty: not yet/);
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [320, 800, 1600]) {
    test(`axe finds nothing, and nothing is cut off: ${colorScheme}, ${width} px`, async () => {
      await post(`${host.url}/data`, { long: 'word'.repeat(200), text: `${'a b '.repeat(200)}` });
      const page = await open(host.url, { colorScheme, viewport: { width, height: 800 } });
      await shows(page, '#state', /Serving/);
      await shows(page, documents, /long/);
      await page.locator(`${documents} summary`).first().click();
      await fill(page, '{"lines": [1e999]}');
      await shows(page, '#problem', /422/);
      await shows(page, '#operations', /GET/);
      const { violations } = await page.evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run(),
      );
      assert.equal(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
      );
      const { scrollWidth, clientWidth } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      assert.is(scrollWidth, clientWidth);
    });
  }
}

test.run();

/** Starts the service so that it needs a token: the API key of `reader`. */
async function startWithReader() {
  const folder = mkdtempSync(join(tmpdir(), 'browser-test-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const reader = createApiKey('reader', ['time:read', 'data:read']);
  const apiKeysFile = join(folder, 'keys');
  writeFileSync(apiKeysFile, reader.line);
  const { url } = closeLater(await startOwnHost({ auth: { apiKeysFile } }));
  return { url, reader };
}

/** A TCP proxy that sends each new connection to the next of its ports. */
async function startBalancer(ports: number[]) {
  let next = 0;
  const server = createServer((client) => {
    const replica = connect(ports[next++ % ports.length] as number, address);
    client.pipe(replica).pipe(client);
    client.on('error', () => replica.destroy());
    replica.on('error', () => client.destroy());
  });
  const port = await lastingPort();
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return { ports, url: `http://${address}:${port}`, close: () => server.close() };
}
