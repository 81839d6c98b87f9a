import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../../package.json';
import { lastingPort } from '../../tools/network/ports';
import { sharingJoined } from '../documents/events';
import { requestArrived, requestRouted } from '../http/events';
import { parts } from '../index';
import { operationStarted } from '../mongo/events';
import { listen } from '../runtime/event';
import { startFakeMongod } from '../testing/fake-mongod';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../testing/otlp-receiver';
import {
  holdDatabase,
  killProcesses,
  openConnection,
  post,
  rawGet,
  rawPost,
  send,
  startOwnHost,
  startProcess,
  startService,
  until,
} from '../testing/testing';
import { resourceAttributes } from './resource';
import { startTracing, type Tracing } from './start';

const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;

let lastTrace = 0xabcdef;

/** A trace of a caller, with the header that names it. */
function newTrace({ sampled = true } = {}) {
  const traceId = (++lastTrace).toString(16).padStart(32, '0');
  const parentSpanId = 'b7ad6b7169203331';
  return {
    traceId,
    parentSpanId,
    traceparent: `00-${traceId}-${parentSpanId}-0${Number(sampled)}`,
  };
}

/** Waits until there are so many spans of a trace. */
async function spansOf(receiver: OtlpReceiver, traceId: string, count: number) {
  const found = () => receiver.spans.filter((span) => span.traceId === traceId);
  await until(async () => found().length >= count);
  return found();
}

async function serverSpanOf(receiver: OtlpReceiver, traceId: string): Promise<ReceivedSpan> {
  const isServer = ({ kind }: ReceivedSpan) => kind === SERVER;
  await until(async () => (await spansOf(receiver, traceId, 1)).some(isServer));
  return (await spansOf(receiver, traceId, 1)).find(isServer) as ReceivedSpan;
}

function hasListeners(): boolean {
  return [requestArrived, requestRouted, operationStarted].some((event) => event.hasSubscribers);
}

const before = suite('before traces are started');

before('nobody listens, and nothing of OpenTelemetry is loaded', () => {
  assert.is(hasListeners(), false);
  const loaded = Object.keys(require.cache).filter((path) => path.includes('@opentelemetry'));
  assert.equal(loaded, []);
});

before.run();

const test = suite<{ receiver: OtlpReceiver; tracing: Tracing; url: string; end(): Promise<void> }>(
  'traces',
);

test.before(async (context) => {
  context.receiver = await startOtlpReceiver();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = context.receiver.url;
  process.env.OTEL_BSP_SCHEDULE_DELAY = '50';
  const { databaseName } = parts().config.mongo;
  context.tracing = startTracing({ collector: context.receiver.url }, databaseName);
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  delete process.env.OTEL_BSP_SCHEDULE_DELAY;
  const host = await startOwnHost();
  context.url = host.url;
  context.end = host.close;
  await until(async () => (await send(`${host.url}/data`)).status === 200);
});

test.after(async ({ receiver, tracing, end }) => {
  await end();
  await tracing.close();
  receiver.close();
  assert.is(hasListeners(), false);
});

test('a request is a span that continues its trace, and its operation is one below', async ({
  receiver,
  url,
}) => {
  const { traceId, parentSpanId, traceparent } = newTrace();
  const headers = { traceparent, tracestate: 'vendor=1', 'User-Agent': 'test' };
  assert.is((await post(`${url}/data?secret=1`, {}, headers)).status, 400);
  assert.is((await post(`${url}/data`, { secret: 1 }, headers)).status, 201);
  const spans = await spansOf(receiver, traceId, 3);
  assert.is(spans.length, 3);

  const [failed, posted] = spans.filter(({ kind }) => kind === SERVER) as ReceivedSpan[];
  const { hostname, port } = new URL(url);
  const attributes = {
    'http.request.method': 'POST',
    'http.route': '/data',
    'url.path': '/data',
    'url.scheme': 'http',
    'server.address': hostname,
    'server.port': Number(port),
    'network.protocol.version': '1.1',
    'user_agent.original': 'test',
  };
  assert.equal(failed?.attributes, { ...attributes, 'http.response.status_code': 400 });
  assert.is(failed?.status, 0);
  assert.equal(posted?.attributes, { ...attributes, 'http.response.status_code': 201 });
  assert.is(posted?.name, 'POST /data');
  assert.is(posted?.parentSpanId, parentSpanId);
  assert.is(posted?.traceState, 'vendor=1');

  const insert = spans.find(({ kind }) => kind === CLIENT);
  const { databaseName } = parts().config.mongo;
  assert.is(insert?.name, 'insert documents');
  assert.is(insert?.parentSpanId, posted?.spanId);
  assert.equal(insert?.links, [{ traceId, spanId: posted?.spanId }]);
  // MongoDB's address is tested below, as other tests may have connected before this one listened
  const entries = Object.entries(insert?.attributes ?? {});
  assert.equal(Object.fromEntries(entries.filter(([name]) => !name.startsWith('server.'))), {
    'db.system.name': 'mongodb',
    'db.namespace': databaseName,
    'db.operation.name': 'insert',
    'db.collection.name': 'documents',
  });
  assert.ok(Number(insert?.durationMs) <= Number(posted?.durationMs));
  assert.not.match(JSON.stringify(spans), 'secret');
});

test('a batch has links to all posts that share it, and they to it', async ({ receiver }) => {
  const traces = Array.from({ length: 5 }, () => newTrace());
  const unsampled = newTrace({ sampled: false });
  await postTogether([unsampled, ...traces].map(({ traceparent }) => traceparent));

  const posts = await Promise.all(traces.map(({ traceId }) => serverSpanOf(receiver, traceId)));
  const [insert] = (await spansOf(receiver, traces[0]?.traceId as string, 2)).filter(
    ({ kind }) => kind === CLIENT,
  );
  assert.is(insert?.parentSpanId, posts[0]?.spanId);
  assert.is(insert?.attributes['db.operation.batch.size'], 6);
  assert.equal(
    insert?.links,
    posts.map(({ traceId, spanId }) => ({ traceId, spanId })),
  );
  for (const other of posts.slice(1)) {
    assert.equal(other.links, [{ traceId: insert?.traceId, spanId: insert?.spanId }]);
  }
  assert.not(receiver.spans.some(({ traceId }) => traceId === unsampled.traceId));
});

/** Posts documents so that one batch has them all: those that wait while another is written. */
async function postTogether(traceparents: string[]): Promise<void> {
  const { database, called, release } = holdDatabase();
  const host = await startOwnHost({}, database);
  const first = post(`${host.url}/data`, {});
  await called;
  const joined = countJoined();
  // in one piece, as a batch has only what arrives within 100 ms
  const { socket, responses } = openConnection(host.url);
  socket.write(traceparents.map((value) => rawPost('{}', `traceparent: ${value}`)).join(''));
  await until(async () => joined.count() === traceparents.length);
  joined.end();
  release();
  for (const { status } of await responses(traceparents.length)) assert.is(status, 201);
  await first;
  socket.destroy();
  await host.close();
}

test('a shared read has links to all requests that share it, and they to it', async ({
  receiver,
}) => {
  const { database, called, release } = holdDatabase();
  const host = await startOwnHost({}, database);
  const list = (traceparent: string) =>
    send(`${host.url}/data?limit=1`, { headers: { traceparent } });
  const first = list(newTrace().traceparent);
  await called;
  const traces = Array.from({ length: 5 }, () => newTrace());
  const joined = countJoined();
  const lists = traces.map(({ traceparent }) => list(traceparent));
  await until(async () => joined.count() === 5);
  joined.end();
  release();
  for (const { status } of await Promise.all([first, ...lists])) assert.is(status, 200);

  const requests = await Promise.all(traces.map(({ traceId }) => serverSpanOf(receiver, traceId)));
  const isShared = ({ name, links }: ReceivedSpan) => name === 'list documents' && links.length > 1;
  await until(async () => receiver.spans.some(isShared));
  const queries = receiver.spans.filter(isShared);
  assert.is(queries.length, 1);
  const [query] = queries;
  const byTrace = (a: { traceId: string }, b: { traceId: string }) =>
    a.traceId < b.traceId ? -1 : 1;
  assert.equal(
    query?.links.toSorted(byTrace),
    requests.map(({ traceId, spanId }) => ({ traceId, spanId })).toSorted(byTrace),
  );
  assert.is(query?.attributes['db.operation.batch.size'], undefined);
  for (const { spanId, links } of requests) {
    const isParent = query?.parentSpanId === spanId;
    assert.equal(links, isParent ? [] : [{ traceId: query?.traceId, spanId: query?.spanId }]);
  }
  await host.close();
});

/** Counts the requests that join others. */
function countJoined() {
  let joined = 0;
  const end = listen(sharingJoined, () => joined++);
  return { count: () => joined, end };
}

for (const traceparent of [
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
  'x'.repeat(5000),
]) {
  test(`an invalid traceparent is ignored: ${traceparent.slice(0, 55)}`, async ({
    receiver,
    url,
  }) => {
    const path = `/nowhere/${++lastTrace}`;
    await send(`${url}${path}`, { headers: { traceparent, tracestate: 'vendor=1' } });
    const find = () => receiver.spans.find(({ attributes }) => attributes['url.path'] === path);
    await until(async () => find() !== undefined);
    assert.is(find()?.parentSpanId, '');
    assert.is(find()?.traceState, '');
    assert.match(find()?.traceId ?? '', /^[\da-f]{32}$/);
    assert.not.match(traceparent, find()?.traceId as string);
  });
}

test('a request of a trace that is not sampled has no span, nor has a probe', async ({
  receiver,
  url,
}) => {
  const { traceId, traceparent } = newTrace({ sampled: false });
  const probed = newTrace();
  await post(`${url}/data`, {}, { traceparent });
  await send(`${url}/readyz`, { headers: { traceparent: probed.traceparent } });
  const last = newTrace();
  await send(`${url}/time`, { headers: { traceparent: last.traceparent } });
  await serverSpanOf(receiver, last.traceId);
  for (const span of receiver.spans) {
    assert.not.equal(span.traceId, traceId);
    assert.not.equal(span.traceId, probed.traceId);
  }
});

for (const [method, path, name, attributes] of [
  ['GET', '/nowhere', 'GET', { 'http.response.status_code': 404 }],
  ['GET', '/data/1', 'GET /data/{id}', { 'http.route': '/data/{id}' }],
  [
    'PROPFIND',
    '/time',
    'HTTP /time',
    { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' },
  ],
] as const) {
  test(`${method} ${path} is named ${name}`, async ({ receiver, url }) => {
    const { traceId, traceparent } = newTrace();
    await send(`${url}${path}`, { method, headers: { traceparent } });
    const span = await serverSpanOf(receiver, traceId);
    assert.is(span.name, name);
    assert.is(span.status, 0);
    for (const [key, value] of Object.entries(attributes)) assert.is(span.attributes[key], value);
  });
}

test('what clients send is cut to 1,024 characters', async ({ receiver, url }) => {
  const { traceId, traceparent } = newTrace();
  const long = 'x'.repeat(3000);
  await send(`${url}/${long}`, { headers: { traceparent, 'User-Agent': long } });
  const { attributes } = await serverSpanOf(receiver, traceId);
  assert.is(attributes['url.path'], `/${long}`.slice(0, 1024));
  assert.is(attributes['user_agent.original'], long.slice(0, 1024));
});

test('a client that leaves is not an error of the service', async ({ receiver }) => {
  const { database, called, release } = holdDatabase();
  const host = await startOwnHost({}, database);
  const { traceId, traceparent } = newTrace();
  const { socket } = openConnection(host.url);
  socket.write(rawGet('/data', `traceparent: ${traceparent}`));
  await called;
  socket.resetAndDestroy();
  const span = await serverSpanOf(receiver, traceId);
  assert.is(span.attributes['error.type'], 'aborted');
  assert.is(span.attributes['http.response.status_code'], undefined);
  assert.is(span.status, 0);
  release();
  await host.close();
});

test('attempts that fail are events of the operation', async ({ receiver }) => {
  const fake = await startFakeMongod();
  const { handle } = fake;
  let failures = 2;
  fake.handle = (command, proceed) =>
    command.insert && failures-- > 0
      ? { ok: 0, code: 91, codeName: 'ShutdownInProgress', errmsg: 'secret' }
      : handle(command, proceed);
  const host = await startService({ uri: fake.uri });
  const { traceId, traceparent } = newTrace();
  assert.is((await post(`${host.url}/data`, {}, { traceparent })).status, 201);
  const spans = await spansOf(receiver, traceId, 2);
  const insert = spans.find(({ kind }) => kind === CLIENT);
  assert.is(insert?.attributes['server.address'], '127.0.0.1');
  assert.is(insert?.attributes['server.port'], fake.port);
  assert.is(insert?.status, 0);
  const attributes = { 'error.type': '91', 'db.response.status_code': '91' };
  assert.equal(insert?.events, Array(2).fill({ name: 'attempt failed', attributes }));
  assert.not.match(JSON.stringify(spans), 'secret');
  await host.close();
  fake.close();
});

test('without MongoDB the request and its operation have an error', async ({ receiver }) => {
  const host = await startService({ uri: 'mongodb://127.0.0.1:1', timeoutMs: 300 });
  const { traceId, traceparent } = newTrace();
  assert.is((await post(`${host.url}/data`, {}, { traceparent })).status, 503);
  const spans = await spansOf(receiver, traceId, 2);
  for (const { kind, status, attributes } of spans) {
    assert.is(status, ERROR);
    // on a slow machine the time is over before the first attempt to connect has failed
    const reasons =
      kind === SERVER
        ? /^database-unavailable$/
        : /^(MongoServerSelectionError|MongoNetworkError|Unavailable)$/;
    assert.match(String(attributes['error.type']), reasons);
  }
  await host.close();
});

test('an operation of a function of one’s own is named as it names it', async ({
  receiver,
  url,
}) => {
  const { traceId, traceparent } = newTrace();
  const end = listen(requestRouted, () => {
    void parts()
      .database()
      .run('put note', async () => {});
  });
  await send(`${url}/time`, { headers: { traceparent } });
  end();
  const spans = await spansOf(receiver, traceId, 2);
  const [own] = spans.filter(({ kind }) => kind === CLIENT);
  assert.is(own?.name, 'put note');
  assert.equal(own?.links, []);
  assert.is(own?.parentSpanId, (await serverSpanOf(receiver, traceId)).spanId);
});

test.run();

const resource = suite('resource of traces');

resource('names the pod, and the revision under Knative', () => {
  const pod = { HOSTNAME: 'functions-00002-deployment-abc', KUBERNETES_SERVICE_HOST: '10.96.0.1' };
  const process = resourceAttributes({ ...pod, REVISION: '0123abc' });
  assert.is(process['service.name'], 'functions');
  assert.is(process['service.version'], '0123abc');
  assert.is(process['service.instance.id'], pod.HOSTNAME);
  assert.is(process['k8s.pod.name'], pod.HOSTNAME);
  assert.not('faas.version' in process);
  const knative = { K_SERVICE: 'functions', K_REVISION: 'functions-00002' };
  assert.equal(resourceAttributes({ ...pod, ...knative, REVISION: '0123abc' }), {
    ...process,
    'faas.name': 'functions',
    'faas.version': 'functions-00002',
    'faas.instance': pod.HOSTNAME,
  });
});

resource('outside Kubernetes there is no pod', () => {
  assert.not('k8s.pod.name' in resourceAttributes({ HOSTNAME: 'laptop' }));
  assert.is(resourceAttributes({})['service.version'], version);
});

resource.run();

const own = suite('OTEL_EXPORTER_OTLP_ENDPOINT');
own.after.each(killProcesses);

/** Spans are sent only when the process ends, unless the test says otherwise. */
const atEnd = { OTEL_BSP_SCHEDULE_DELAY: '600000' };

own('the spans that are left are sent at the end, and log lines have their ids', async () => {
  const receiver = await startOtlpReceiver();
  const service = await startProcess({
    ...atEnd,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t0ken',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_SERVICE_NAME: 'shop',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.instance.id=one',
    MONGODB_URI: 'mongodb://127.0.0.1:1',
    MONGO_TIMEOUT_MS: '300',
  });
  const sampled = newTrace();
  const unsampled = newTrace({ sampled: false });
  for (const { traceparent } of [sampled, unsampled]) {
    await send(`${service.url}/time`, { headers: { traceparent } });
  }
  await post(`${service.url}/data`, {});
  assert.is(receiver.spans.length, 0);
  service.child.kill('SIGTERM');
  assert.is(await service.exited, 0);

  const spans = receiver.spans.filter(({ kind }) => kind === SERVER);
  assert.is(spans.length, 2);
  const { resource } = spans[0] as ReceivedSpan;
  assert.is(resource['service.name'], 'shop');
  assert.is(resource['service.instance.id'], 'one');
  assert.is(resource['deployment.environment.name'], 'test');
  assert.is(resource['service.version'], version);
  assert.is(resource['process.pid'], service.child.pid);
  assert.is(receiver.headers[0]?.authorization, 'Bearer t0ken');

  const lines = (text: string) => service.lines.filter(({ msg }) => String(msg).startsWith(text));
  const [first, second, third] = lines('request').map(({ trace_id, span_id, trace_flags }) => ({
    trace_id,
    span_id,
    trace_flags,
  }));
  const idsOf = (span?: ReceivedSpan) => ({
    trace_id: span?.traceId,
    span_id: span?.spanId,
    trace_flags: '01',
  });
  assert.equal(first, idsOf(spans[0]));
  assert.is(first?.trace_id, sampled.traceId);
  assert.is(second?.trace_id, unsampled.traceId);
  assert.is(second?.trace_flags, '00');
  assert.equal(third, idsOf(spans[1]));
  assert.is(lines('a request failed')[0]?.trace_id, spans[1]?.traceId);
  assert.is(lines('a request failed')[0]?.span_id, spans[1]?.spanId);
  assert.not.match(JSON.stringify(service.lines), 't0ken');
  receiver.close();
});

own(
  'a collector that refuses traces is in the log once, and again when it accepts them',
  async () => {
    const receiver = await startOtlpReceiver();
    receiver.status = 400;
    const service = await startProcess({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '20',
    });
    const lines = (text: string) => service.lines.filter(({ msg }) => String(msg).startsWith(text));
    await until(async () => {
      assert.is((await send(`${service.url}/time`)).status, 200);
      return receiver.headers.length > 3; // one after another
    });
    receiver.status = 200;
    await until(async () => {
      await send(`${service.url}/time`);
      return receiver.spans.length > 0 && lines('the collector accepts').length > 0;
    });
    service.child.kill('SIGTERM');
    assert.is(await service.exited, 0);
    assert.equal(
      lines('traces are lost').map(({ reason }) => reason),
      ['400 Bad Request'],
    );
    assert.is(lines('the collector accepts traces again').length, 1);
    receiver.close();
  },
);

own('without a collector requests are served', async () => {
  const service = await startProcess({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await lastingPort()}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    OTEL_BSP_SCHEDULE_DELAY: '20',
  });
  const isReported = () => service.lines.some(({ msg }) => /traces are lost/.test(String(msg)));
  await until(async () => {
    assert.is((await send(`${service.url}/time`)).status, 200);
    return isReported();
  });
  assert.is((await post(`${service.url}/data`, {})).status, 201);
  service.child.kill('SIGTERM');
  assert.is(await service.exited, 0);
});

own('a collector that hangs does not keep the process from ending', async () => {
  const hanging = createServer(() => {}).listen(0, '127.0.0.1');
  await until(async () => hanging.listening);
  const { port } = hanging.address() as { port: number };
  const service = await startProcess({
    ...atEnd,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
  });
  await send(`${service.url}/time`);
  service.child.kill('SIGTERM');
  assert.is(await service.exited, 0);
  assert.match(JSON.stringify(service.lines), 'the last traces were not accepted');
  assert.is(service.lines.at(-1)?.msg, 'stopped');
  hanging.close();
});

own('OpenTelemetry is loaded only where it is set', () => {
  for (const [endpoint, isLoaded] of [
    ['', false],
    ['http://127.0.0.1:1', true],
  ] as const) {
    const loaded = loadedFiles({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    assert.ok(loaded.some((file) => file.endsWith('/main.js')));
    assert.is(
      loaded.some((file) => file.endsWith('/opentelemetry.js')),
      isLoaded,
    );
  }
  assert.equal(
    loadedFiles({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }),
    loadedFiles({}),
  );
});

/** The files that the built service has loaded when it has answered a request. */
function loadedFiles(env: Record<string, string>): string[] {
  const script = `require('./dist/main').start().then(async ({ url }) => {
    await fetch(url + '/data');
    process.stdout.write(Object.keys(require.cache).sort().join('\\n'), () => process.exit());
  });`;
  const output = execFileSync(process.execPath, ['--eval', script], {
    env: {
      ...process.env,
      PORT: '0',
      LOG_LEVEL: 'silent',
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      ...env,
    },
    encoding: 'utf8',
  });
  return output.split('\n');
}

own.run();
