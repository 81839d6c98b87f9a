import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../../package.json';
import { createApiKey } from '../auth/api-keys';
import { requestArrived } from '../http/events';
import { parts } from '../index';
import { openDatabase } from '../mongo/database';
import { type Family, parseExposition } from '../testing/exposition';
import { startFakeMongod } from '../testing/fake-mongod';
import { startOidcIssuer } from '../testing/oidc-issuer';
import {
  holdDatabase,
  killProcesses,
  openConnection,
  post,
  rawGet,
  send,
  sendRaw,
  startOwnHost,
  startProcess,
  startService,
  until,
} from '../testing/testing';
import { type Metrics, startMetrics } from './start';

const test = suite<{ metrics: Metrics; host: Awaited<ReturnType<typeof startOwnHost>> }>('metrics');

test.before(async (context) => {
  const { config, lifecycle, database } = parts();
  context.metrics = await startMetrics(0, { config, lifecycle, database });
  context.host = await startOwnHost();
});

test.after(async ({ metrics, host }) => {
  await host.close();
  await metrics.close();
});

type Labels = Record<string, string>;

async function scrape(metrics: Pick<Metrics, 'port'>): Promise<Map<string, Family>> {
  const { status, headers, text } = await send(`http://127.0.0.1:${metrics.port}/metrics`);
  assert.is(status, 200);
  assert.is(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return parseExposition(text);
}

/** The sum of the samples that have these labels; of a histogram, how many values it has. */
async function value(metrics: Pick<Metrics, 'port'>, name: string, labels: Labels = {}) {
  const { type, samples } = (await scrape(metrics)).get(name) as Family;
  const wanted = type === 'histogram' ? `${name}_count` : name;
  return samples
    .filter((sample) => sample.name === wanted)
    .filter((sample) => Object.entries(labels).every(([k, v]) => (sample.labels[k] ?? '') === v))
    .reduce((sum, sample) => sum + sample.value, 0);
}

/** By how much a value grows while something is done. */
async function growth(
  metrics: Metrics,
  name: string,
  labels: Labels,
  act: () => Promise<unknown>,
): Promise<number> {
  const before = await value(metrics, name, labels);
  await act();
  return (await value(metrics, name, labels)) - before;
}

const requests = 'http_server_request_duration_seconds';

for (const [name, act, labels] of [
  [
    'GET',
    (url: string) => send(`${url}/time?tz=Asia/Tokyo`),
    { http_request_method: 'GET', http_route: '/time', http_response_status_code: '200' },
  ],
  [
    'POST',
    (url: string) => post(`${url}/data`, {}),
    { http_request_method: 'POST', http_route: '/data', http_response_status_code: '201' },
  ],
  [
    'an id in the path',
    (url: string) => send(`${url}/data/01939f8e-7c11-7abc-8def-0123456789ab`),
    { http_request_method: 'GET', http_route: '/data/{id}', http_response_status_code: '404' },
  ],
  [
    'no route',
    (url: string) => send(`${url}/nowhere`),
    { http_request_method: 'GET', http_route: '', http_response_status_code: '404' },
  ],
  [
    'an unusual method',
    (url: string) => send(`${url}/time`, { method: 'PROPFIND' }),
    { http_request_method: '_OTHER', http_route: '/time', http_response_status_code: '405' },
  ],
] as [string, (url: string) => Promise<unknown>, Labels][]) {
  test(`a request is counted once: ${name}`, async ({ metrics, host }) => {
    const own = { ...labels, error_type: '', url_scheme: 'http' };
    assert.is(await growth(metrics, requests, own, () => act(host.url)), 1);
    assert.is(await value(metrics, 'http_server_active_requests'), 0);
  });
}

test('the process is named by the revision of its image, or else by its version', async ({
  metrics,
}) => {
  const { REVISION } = process.env;
  const nameOf = async (revision: string) => {
    process.env.REVISION = revision;
    return (await scrape(metrics)).get('target_info')?.samples[0]?.labels.service_version;
  };
  try {
    assert.is(await nameOf('0123abc'), '0123abc');
    assert.is(await nameOf(''), version);
  } finally {
    process.env.REVISION = REVISION ?? '';
  }
});

test('what clients send makes no series of its own', async ({ metrics, host }) => {
  const { url } = host;
  const kinds = async () => (await scrape(metrics)).get(requests)?.samples.length as number;
  await send(`${url}/other`, { method: 'REPORT' });
  await send(`${url}/time`, { method: 'REPORT' });
  await send(`${url}/data/first`);
  const before = await kinds();
  for (let i = 0; i < 50; i++) {
    await send(`${url}/${i}"\\%0A`);
    await send(`${url}/data/${i}`);
    await send(`${url}/time?tz=Zone${i}`, { headers: { 'X-Request-Id': `id-${i}` } });
  }
  const methods = ['COPY', 'LOCK', 'MKCOL', 'MOVE', 'PURGE', 'SEARCH', 'SUBSCRIBE', 'UNLINK'];
  for (const method of methods) {
    await sendRaw(url, `${method} /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await sendRaw(url, `${method} /time HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  }
  // the 400 of /time is the one that is new
  assert.ok((await kinds()) <= before + 17, `${before} to ${await kinds()}`);
});

test('a request that can not be parsed is counted as turned away', async ({ metrics, host }) => {
  const name = 'functions_requests_turned_away_total';
  const act = () => sendRaw(host.url, 'get / HTTP/1.1\r\n\r\n');
  assert.is(await growth(metrics, name, { reason: 'malformed-request' }, act), 1);
});

test('a request whose client leaves has no status', async ({ metrics }) => {
  const held = holdDatabase();
  const host = await startOwnHost({}, held.database);
  const aborted = { http_route: '/data', http_response_status_code: '', error_type: 'aborted' };
  const grown = await growth(metrics, requests, aborted, async () => {
    const { socket } = openConnection(host.url);
    socket.write(rawGet('/data'));
    await held.called;
    assert.is(await value(metrics, 'http_server_active_requests'), 1);
    socket.resetAndDestroy();
    await until(async () => (await value(metrics, 'http_server_active_requests')) === 0);
  });
  assert.is(grown, 1);
  held.release();
  await host.close();
});

// a small post reserves a little more than 32 KiB: this is enough for two
const memoryBudgetBytes = 70_000;

test('memory: what is admitted, and what waits', async ({ metrics }) => {
  const held = holdDatabase();
  const mongo = { ...parts().config.mongo, timeoutMs: 60_000 };
  const host = await startOwnHost({ memoryBudgetBytes, mongo }, held.database);
  const posts = Array.from({ length: 3 }, () => post(`${host.url}/data`, {}));
  await until(async () => (await value(metrics, 'functions_memory_waiting_requests')) === 1);
  const reserved = 2 * 2 + 32 * 1024;
  assert.is(await value(metrics, 'functions_memory_waiting_bytes'), reserved);
  // those that were parsed need their bodies only once
  const admitted = 2 * (2 + 32 * 1024);
  await until(async () => (await value(metrics, 'functions_memory_admitted_bytes')) === admitted);
  held.release();
  for (const { status } of await Promise.all(posts)) assert.is(status, 201);
  await host.close();
});

test('memory: what is turned away', async ({ metrics }) => {
  const held = holdDatabase();
  const mongo = { ...parts().config.mongo, timeoutMs: 200 };
  const host = await startOwnHost({ memoryBudgetBytes, mongo }, held.database);
  const name = 'functions_requests_turned_away_total';
  const grown = await growth(metrics, name, { reason: 'memory' }, async () => {
    const posts = Array.from({ length: 3 }, () => post(`${host.url}/data`, {}));
    const first = await Promise.race(posts);
    assert.is(first.status, 503);
    assert.is(first.json.type, 'urn:problem-type:overloaded');
    held.release();
    await Promise.all(posts);
  });
  assert.is(grown, 1);
  await host.close();
});

test('connections closed to make room are counted as turned away', async ({ metrics }) => {
  const host = await startOwnHost({ maxConnections: 1 });
  const name = 'functions_requests_turned_away_total';
  const grown = await growth(metrics, name, { reason: 'connections' }, async () => {
    const silent = [0, 1, 2].map(() => openConnection(host.url));
    let closed = 0;
    for (const { ended } of silent) void ended.then(() => closed++);
    await until(async () => closed === 2);
  });
  assert.is(grown, 2);
  await host.close();
});

test('what shares a command, and the driver’s connections', async ({ metrics }) => {
  const fake = await startFakeMongod();
  const connections = { db_client_connection_pool_name: 'mongodb' };
  const before = await value(metrics, 'db_client_connection_count', connections);
  const host = await startService({ uri: fake.uri });
  const { url } = host;
  const batches = await growth(metrics, 'functions_batch_documents', {}, async () => {
    await Promise.all(Array.from({ length: 20 }, () => post(`${url}/data`, {})));
  });
  const sent = fake.commands.filter(({ insert }) => insert).length;
  assert.is(batches, sent);
  assert.ok(sent < 20);

  const inserts = { db_operation_name: 'insert', db_system_name: 'mongodb', error_type: '' };
  const name = 'db_client_operation_duration_seconds';
  assert.is(await growth(metrics, name, inserts, () => post(`${url}/data`, {})), 1);
  const readers = (await scrape(metrics)).get('functions_query_readers');
  await Promise.all(Array.from({ length: 20 }, () => send(`${url}/data`)));
  const after = (await scrape(metrics)).get('functions_query_readers');
  const sum = (family?: Family) => family?.samples.find(({ name }) => name.endsWith('_sum'))?.value;
  assert.is(Number(sum(after)) - Number(sum(readers)), 20);

  assert.ok((await value(metrics, 'db_client_connection_count', connections)) > before);
  assert.is(await value(metrics, 'db_client_connection_pending_requests'), 0);
  await host.close();
  fake.close();
  await until(
    async () => (await value(metrics, 'db_client_connection_count', connections)) === before,
  );
});

test('errors of MongoDB are counted by code, and retries', async ({ metrics }) => {
  const fake = await startFakeMongod();
  const { handle } = fake;
  let failures = 2;
  fake.handle = (command, proceed) =>
    command.insert && failures-- > 0
      ? { ok: 0, code: 91, codeName: 'ShutdownInProgress', errmsg: 'stopping' }
      : handle(command, proceed);
  const host = await startService({ uri: fake.uri });
  const name = 'db_client_operation_duration_seconds';
  const retries = await growth(metrics, 'functions_database_retries_total', {}, async () => {
    const act = () => post(`${host.url}/data`, {});
    assert.is(await growth(metrics, name, { error_type: '91' }, act), 2);
  });
  assert.is(retries, 2);
  await host.close();
  fake.close();
});

test('clients that fail leave no connections behind', async ({ metrics }) => {
  const connections = { db_client_connection_state: 'idle' };
  const before = await value(metrics, 'db_client_connection_count', connections);
  const database = openDatabase({
    ...parts().config.mongo,
    uri: 'mongodb://app:wrong@127.0.0.1:1',
    timeoutMs: 300,
  });
  await database.run('nothing', async () => {}).catch(() => {});
  await database.close();
  assert.is(await value(metrics, 'db_client_connection_count', connections), before);
  assert.ok((await value(metrics, 'db_client_connection_pending_requests')) >= 0);
});

test('the age of keys grows while they can not be loaded', async ({ metrics }) => {
  const name = 'functions_auth_keys_age_seconds';
  const age = (source: string) => value(metrics, name, { source });
  const since = (start: number) => (performance.now() - start) / 1000;
  assert.equal((await scrape(metrics)).get(name)?.samples, [], 'without authentication');

  const folder = mkdtempSync(join(tmpdir(), 'metrics-test-'));
  const apiKeysFile = join(folder, 'keys');
  const { key, line } = createApiKey('ci', ['time:read']);
  writeFileSync(apiKeysFile, line);
  const issuer = await startOidcIssuer();
  const tokens = { issuer: issuer.url, audience: 'functions', jwks: {}, requireScope: false };
  const host = await startOwnHost({ auth: { tokens, apiKeysFile } });
  const status = async (token: string) =>
    (await send(`${host.url}/time`, { headers: { Authorization: `Bearer ${token}` } })).status;
  try {
    assert.is(await status(key), 200);
    assert.is(await status(await issuer.token()), 200);
    const loadedAt = performance.now();
    writeFileSync(apiKeysFile, `${line}\nbroken`);
    issuer.rotate();
    const rotated = await issuer.token();
    issuer.pause();
    assert.is(await status(rotated), 503);
    // the file is read every two seconds
    await until(async () => (await age('api-keys')) > 4);
    for (const source of ['issuer', 'api-keys']) {
      const least = since(loadedAt);
      assert.ok((await age(source)) >= least, source);
    }

    const mendedAt = performance.now();
    writeFileSync(apiKeysFile, line);
    issuer.resume();
    for (const source of ['issuer', 'api-keys']) {
      await until(async () => (await age(source)) <= since(mendedAt));
    }
    assert.is(await status(rotated), 200);
  } finally {
    await host.close();
    await issuer.close();
    rmSync(folder, { recursive: true });
  }
});

test('the process, its event loop and its garbage collector', async ({ metrics }) => {
  assert.ok((await value(metrics, 'process_cpu_seconds_total')) > 0);
  assert.ok((await value(metrics, 'process_resident_memory_bytes')) > 10 * 1024 ** 2);
  assert.ok((await value(metrics, 'v8js_memory_heap_used_bytes')) > 1024 ** 2);
  const name = 'nodejs_eventloop_delay_max_seconds';
  await until(async () => {
    const end = performance.now() + 100;
    while (performance.now() < end);
    return (await value(metrics, name)) > 0.05;
  });
  await until(async () => {
    Array.from({ length: 100_000 }, (_, i) => ({ i }));
    return (await value(metrics, 'v8js_gc_duration_seconds', { v8js_gc_type: 'minor' })) > 0;
  });
});

test('only /metrics is served', async ({ metrics }) => {
  const url = `http://127.0.0.1:${metrics.port}`;
  const elsewhere = await send(url);
  assert.is(elsewhere.status, 404);
  assert.is(elsewhere.text, 'Metrics are at /metrics.\n');
  assert.is((await send(`${url}/metrics`, { method: 'POST' })).status, 405);
  const head = await send(`${url}/metrics`, { method: 'HEAD' });
  assert.is(head.status, 200);
  assert.is(head.text, '');
});

test.run();

const off = suite('without METRICS_PORT');

off('nobody listens', () => {
  assert.is(requestArrived.hasSubscribers, false);
});

off.run();

const own = suite('METRICS_PORT');

async function metricsPort(lines: Record<string, unknown>[]): Promise<number> {
  const line = () => lines.find(({ msg }) => msg === 'serving metrics');
  await until(async () => line() !== undefined);
  return line()?.port as number;
}

own('metrics are served until everything else has ended', async () => {
  const service = await startProcess({ METRICS_PORT: '0', DRAIN_DELAY_MS: '1000' });
  const port = await metricsPort(service.lines);
  await post(`${service.url}/data`, {});
  assert.is(await value({ port }, 'functions_ready'), 1);
  assert.is(await value({ port }, 'functions_database_reachable'), 1);
  service.child.kill('SIGTERM');
  await until(async () => (await value({ port }, 'functions_ready')) === 0);
  assert.is(await value({ port }, requests, { http_route: '/data' }), 1);
  assert.is(await service.exited, 0);
  const messages = service.lines.map(({ msg }) => msg);
  assert.is(messages.at(-1), 'stopped');
});

own('a port that is taken costs the metrics, not the service', async () => {
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const service = await startProcess({ METRICS_PORT: String(port) });
  assert.is((await send(`${service.url}/time`)).status, 200);
  const errors = service.lines.filter(({ level }) => level === 'error');
  assert.match(JSON.stringify(errors), 'EADDRINUSE');
  taken.close();
  service.child.kill('SIGTERM');
  assert.is(await service.exited, 0);
});

own.after.each(killProcesses);
own.run();
