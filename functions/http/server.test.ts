import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import { indexKeys } from '../documents/insert';
import { parts } from '../index';
import { openDatabase } from '../mongo/database';
import { log } from '../runtime/log';
import {
  type Host,
  holdDatabase,
  openConnection,
  parseResponses,
  post,
  rawGet,
  rawPost,
  rawPostHead,
  send,
  sendRaw,
  startOwnHost,
  until,
} from '../testing/testing';

const close = 'Connection: close\r\n';

/** Sends a request that ends the connection, and reads its response. */
async function requestOnce(url: string, text: string) {
  const responses = parseResponses(await sendRaw(url, text));
  assert.is(responses.length, 1);
  return responses[0] as (typeof responses)[0];
}

/** Starts the service before the tests of a suite, and stops it after them. */
function useOwnHost(test: Test<{ url: string }>): void {
  let server: Host;
  test.before(async (context) => {
    server = await startOwnHost();
    context.url = server.url;
  });
  test.after(() => server.close());
}

const head = suite('request heads', { url: '' });
useOwnHost(head);

for (const [what, lines, version] of [
  ['a host', 'Host: a.b-c_d', '1.1'],
  ['a host and a port', 'Host: localhost:8080', '1.1'],
  ['an address', 'Host: 127.0.0.1:80', '1.1'],
  ['an IPv6 address', 'Host: [::1]:80', '1.1'],
  ['an encoded host', 'Host: a%20b', '1.1'],
  ['an empty port', 'Host: a:', '1.1'],
  ['an empty Host', 'Host:', '1.1'],
  ['no Host in HTTP/1.0', 'A: b', '1.0'],
  ['200 header fields', `Host: a\r\n${'A: b\r\n'.repeat(198)}Connection: close`, '1.1'],
] as const) {
  head(`${what} is accepted`, async ({ url }) => {
    const text = `GET /time HTTP/${version}\r\n${lines}\r\n`;
    const { status, body } = await requestOnce(
      url,
      `${text}${lines.includes(close.trim()) ? '' : close}\r\n`,
    );
    assert.is(status, 200, body);
  });
}

for (const [what, text, status, type, detail] of [
  ['no Host', `GET / HTTP/1.1\r\n${close}\r\n`, 400, 'malformed-request', 'Send one Host header.'],
  ['two Hosts', rawGet('/', 'Host: b'), 400, 'malformed-request', 'Send one Host header.'],
  [
    'the same Host twice',
    rawGet('/', 'host: a'),
    400,
    'malformed-request',
    'Send one Host header.',
  ],
  ...['a b', 'a/b', 'a?b', 'a:x', 'user@a', '[a', '[zz]', 'a:1:2', 'ä', 'a,b:c'].map(
    (host) =>
      [
        `Host ${host}`,
        `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
        400,
        'malformed-request',
        'Send a Host header',
      ] as const,
  ),
  ...['gzip', 'gzip, chunked', 'identity', 'chunked, gzip', 'xchunked', 'chunked, chunked'].map(
    (coding) =>
      [
        `Transfer-Encoding ${coding}`,
        rawPostHead(`Transfer-Encoding: ${coding}`),
        501,
        'unsupported-transfer-coding',
        'chunked and no other',
      ] as const,
  ),
  [
    'Transfer-Encoding in HTTP/1.0',
    rawPostHead('Connection: keep-alive\r\nTransfer-Encoding: chunked').replace('/1.1', '/1.0'),
    400,
    'malformed-request',
    'HTTP/1.1 only',
  ],
  ...['chunked', 'gzip', 'gzip, chunked'].map(
    (coding) =>
      [
        `Transfer-Encoding ${coding} with a Content-Length`,
        rawPostHead(`Content-Length: 2\r\nTransfer-Encoding: ${coding}`),
        400,
        'malformed-request',
        '',
      ] as const,
  ),
  [
    'two lengths',
    rawPostHead('Content-Length: 2\r\nContent-Length: 3'),
    400,
    'malformed-request',
    '',
  ],
  ['an invalid length', rawPostHead('Content-Length: 2x'), 400, 'malformed-request', ''],
  [
    '201 header fields',
    `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(200)}\r\n`,
    431,
    'headers-too-large',
    'Send at most 200 header fields.',
  ],
  [
    '2,500 short header fields',
    `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(2499)}\r\n`,
    431,
    'headers-too-large',
    'Send at most 200 header fields.',
  ],
  [
    'headers of 20 KB',
    rawGet('/', `A: ${'x'.repeat(20_000)}`),
    431,
    'headers-too-large',
    'Send at most 16 KiB of headers.',
  ],
  [
    'a path of 20 KB',
    rawGet(`/${'x'.repeat(20_000)}`),
    431,
    'headers-too-large',
    'Send at most 16 KiB of headers.',
  ],
  ['another expectation', rawGet('/', 'Expect: more', close.trim()), 417, 'expectation-failed', ''],
  ['a method in small letters', 'get / HTTP/1.1\r\n\r\n', 400, 'malformed-request', 'capital'],
  ['nonsense', 'nonsense\r\n\r\n', 400, 'malformed-request', ''],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01', 400, 'malformed-request', ''],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed-request', ''],
  ...['0.9', '2.0'].flatMap((version) =>
    [rawGet('/'), rawPost('{}'), rawPostHead('Transfer-Encoding: chunked')].map(
      (text) =>
        [
          `${text.split(' ')[0]} in HTTP/${version}`,
          text.replace('/1.1', `/${version}`),
          400,
          'malformed-request',
          'HTTP/1.1',
        ] as const,
    ),
  ),
  ['invalid chunks', `${rawPostHead('Transfer-Encoding: chunked')}x\r\n`, 400, '', ''],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405, 'method-not-allowed', ''],
] as const) {
  head(`${what} gets an error`, async ({ url }) => {
    const { headers, body, ...response } = await requestOnce(url, text);
    assert.is(response.status, status, body);
    const problem = JSON.parse(body);
    assert.is(problem.status, status);
    if (type) assert.is(problem.type, `urn:problem-type:${type}`);
    assert.match(problem.detail, detail);
    assert.is(headers.get('content-type'), 'application/problem+json');
    assert.is(headers.get('connection'), 'close');
    assert.is(headers.get('cache-control'), 'no-store');
    assert.is(headers.get('x-content-type-options'), 'nosniff');
    assert.ok(headers.get('x-request-id'));
  });
}

head('CONNECT gets the supported methods', async ({ url }) => {
  const { headers } = await requestOnce(url, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
  assert.is(headers.get('allow'), 'GET, POST, HEAD, OPTIONS');
});

head.run();

const common = suite('response headers', { url: '' });
useOwnHost(common);

const json = { 'Content-Type': 'application/json' };

for (const [status, path, init] of [
  [200, '/', {}],
  [200, '/time', {}],
  [200, '/time', { method: 'HEAD' }],
  [200, '/data?limit=1', {}],
  [200, '/livez', {}],
  [201, '/data', { method: 'POST', headers: json, body: '{}' }],
  [204, '/data', { method: 'OPTIONS' }],
  [400, '/time?tz=x', {}],
  [400, '/data', { method: 'POST', headers: json, body: '{' }],
  [404, '/nothing', {}],
  [404, '/data/x', { method: 'HEAD' }],
  [405, '/data', { method: 'DELETE' }],
  [413, '/data', { method: 'POST', headers: json, body: 'x'.repeat(1_100_000) }],
  [415, '/data', { method: 'POST', body: '{}' }],
  [422, '/data', { method: 'POST', headers: json, body: '[]' }],
] as [number, string, RequestInit][]) {
  common(`${status} for ${init.method ?? 'GET'} ${path}`, async ({ url }) => {
    const response = await send(url + path, init);
    assert.is(response.status, status, response.text);
    assert.is(response.headers.get('cache-control'), 'no-store');
    assert.is(response.headers.get('x-content-type-options'), 'nosniff');
    assert.ok(response.headers.get('x-request-id'));
  });
}

common('500, with the same id in the log', async () => {
  const broken = await startOwnHost({}, () => {
    throw new Error('a bug');
  });
  const lines: { requestId?: string; err?: Error }[] = [];
  const { error } = log;
  log.error = ((line: object) => lines.push(line)) as typeof log.error;
  try {
    const response = await post(`${broken.url}/data`, {}, { 'X-Request-Id': 'mine' });
    assert.is(response.status, 500);
    assert.not.match(response.text, 'a bug');
    assert.is(response.headers.get('cache-control'), 'no-store');
    assert.is(response.headers.get('x-content-type-options'), 'nosniff');
    assert.is(response.headers.get('x-request-id'), 'mine');
    assert.equal(
      lines.map(({ requestId, err }) => [requestId, err?.message]),
      [['mine', 'a bug']],
    );
  } finally {
    log.error = error;
    await broken.close();
  }
});

for (const id of ['a', 'x'.repeat(200), '!~', '00-4bf92f3577b34da6a3ce929d0e0e4736-00']) {
  common(`the client's id ${id.slice(0, 20)} is returned`, async ({ url }) => {
    const { headers } = await requestOnce(
      url,
      rawGet('/time', `X-Request-Id: ${id}`, close.trim()),
    );
    assert.is(headers.get('x-request-id'), id);
  });
}

for (const [what, ...lines] of [
  ['no id', 'A: b'],
  ['an empty id', 'X-Request-Id:'],
  ['an id of 201 characters', `X-Request-Id: ${'x'.repeat(201)}`],
  ['an id that is not ASCII', 'X-Request-Id: é'],
  ['an id with a space', 'X-Request-Id: a b'],
  ['an id with a tab', 'X-Request-Id: a\tb'],
  ['two ids', 'X-Request-Id: a', 'X-Request-Id: b'],
] as [string, ...string[]][]) {
  common(`${what} is replaced`, async ({ url }) => {
    const ids = new Set<string | null>();
    for (let i = 0; i < 2; i++) {
      const { headers } = await requestOnce(url, rawGet('/time', ...lines, close.trim()));
      assert.match(headers.get('x-request-id') ?? '', /^[\da-f]{12}-\d+$/);
      ids.add(headers.get('x-request-id'));
    }
    assert.is(ids.size, 2);
  });
}

common.run();

const upgrade = ['Connection: Upgrade', 'Upgrade: h2c'];
const sequence = suite('requests on one connection', { url: '' });
useOwnHost(sequence);
sequence.before(async ({ url }) => {
  await post(`${url}/data`, {});
});

const small = '{"a":"b"}';
const inChunks = (text: string) =>
  `${rawPostHead(`Transfer-Encoding: chunked\r\n${upgrade.join('\r\n')}`)}${[...text]
    .map((char) => `1\r\n${char}\r\n`)
    .join('')}0\r\n\r\n`;

for (const [what, text, statuses] of [
  ['a GET that asks for an upgrade', rawGet('/time', ...upgrade), [200]],
  ['a POST', rawPost(small, ...upgrade), [201]],
  ['a POST in chunks', inChunks(small), [201]],
  ['a POST without a body', rawPost('', ...upgrade), [400]],
  ['two of them', rawGet('/time', ...upgrade) + rawPost(small, ...upgrade), [200, 201]],
  ['twenty of them', rawGet('/time', ...upgrade).repeat(20), Array(20).fill(200)],
  ['one after a pending request', rawPost(small) + rawGet('/time', ...upgrade), [201, 200]],
  ['one after another request', rawGet('/livez') + rawGet('/time', ...upgrade), [200, 200]],
] as [string, string, number[]][]) {
  const all = `${text}${rawGet('/nothing')}`;
  const expected = [...statuses, 404];
  sequence(`${what}, and a request after it, get their responses`, async ({ url }) => {
    const { socket, responses } = openConnection(url);
    socket.write(all);
    const got = await responses(expected.length);
    assert.equal(
      got.map(({ status }) => status),
      expected,
    );
    socket.destroy();
  });

  sequence(`${what}, in pieces`, async ({ url }) => {
    const { socket, responses } = openConnection(url);
    const pieces = all.match(/.{1,37}/gs) ?? [];
    for (const piece of pieces) {
      socket.write(piece);
      await sleep(1);
    }
    const got = await responses(expected.length);
    assert.equal(
      got.map(({ status }) => status),
      expected,
    );
    socket.destroy();
  });
}

sequence('an upgrade after a post is answered if the client closes its side', async ({ url }) => {
  const { socket, ended } = openConnection(url);
  socket.allowHalfOpen = true;
  socket.end(rawPost(small) + rawGet('/time', ...upgrade) + rawGet('/nothing'));
  assert.equal(
    (await ended).map(({ status }) => status),
    [201, 200, 404],
  );
});

for (const [what, text] of [
  ['an error that closes the connection', rawPost(small).replace('Host: a', 'Host: ?')],
  ['X-Connection: close', rawPost(small, 'X-Connection: close')],
  ['Connection: close', rawPost(small, 'Connection: close')],
] as const) {
  sequence(`a post after ${what} is not stored`, async ({ url }) => {
    const late = crypto.randomUUID();
    const responses = parseResponses(
      await sendRaw(url, text + rawPost(JSON.stringify({ late })) + rawGet('/time')),
    );
    assert.is(responses.length, 1);
    assert.is((await post(`${url}/data`, { after: late })).status, 201);
    const { text: documents } = await send(`${url}/data?limit=200`);
    assert.match(documents, `"after":"${late}"`);
    assert.not.match(documents, `"late":"${late}"`);
  });
}

for (const [what, text] of [
  ['an upgrade', rawGet('/time', ...upgrade)],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
  ['nonsense', 'nonsense\r\n\r\n'],
  ['another request', rawGet('/time')],
] as const) {
  sequence(
    `a reset while ${what} waits for an earlier response affects no one else`,
    async ({ url }) => {
      const { socket } = openConnection(url);
      socket.write(rawGet('/data?limit=1') + text);
      await once(socket, 'connect');
      await sleep(2);
      socket.resetAndDestroy();
      assert.is((await send(`${url}/data?limit=1`)).status, 200);
    },
  );

  if (what === 'an upgrade' || what === 'another request') continue;
  sequence(`${what} after a post gets its response after that of the post`, async ({ url }) => {
    const responses = parseResponses(await sendRaw(url, `${rawPost(small)}${text}`));
    assert.equal(
      responses.map(({ status }) => status),
      [201, what === 'CONNECT' ? 405 : 400],
    );
  });
}

sequence('a thousand pipelined requests get their responses', async ({ url }) => {
  const { socket, responses } = openConnection(url);
  socket.write(rawGet('/time').repeat(1000));
  const got = await responses(1000);
  assert.ok(got.every(({ status }) => status === 200));
  assert.is(new Set(got.map(({ headers }) => headers.get('x-request-id'))).size, 1000);
  socket.destroy();
});

sequence('pipelined posts get their responses in order', async ({ url }) => {
  const { socket, responses } = openConnection(url);
  socket.write(Array.from({ length: 30 }, (_, n) => rawPost(JSON.stringify({ n }))).join(''));
  const got = await responses(30);
  assert.equal(
    got.map(({ body }) => JSON.parse(body).data?.n),
    Array.from({ length: 30 }, (_, n) => n),
  );
  socket.destroy();
});

sequence.run();

const timeouts = suite('timeouts', { path: '', length: 0 });

timeouts.before(async (context) => {
  // more than the kernel buffers for a client that reads nothing
  const text = 'x'.repeat(1_000_000);
  const { url, close } = await startOwnHost();
  const stored = async (n: number) => (await post(`${url}/data`, { n, text })).status === 201;
  await Promise.all(Array.from({ length: 9 }, (_, n) => until(() => stored(n))));
  context.path = '/data?limit=9';
  context.length = (await send(url + context.path)).text.length;
  await close();
});

timeouts('a client that stops reading is cut off', async ({ path, length }) => {
  const server = await startOwnHost({ transferTimeoutMs: 150 });
  const { socket, ended, received } = openConnection(server.url);
  socket.write(rawGet(path));
  await once(socket, 'data');
  socket.pause();
  await sleep(1500);
  socket.resume();
  await ended;
  assert.ok(received().length < length);
  await server.close();
});

timeouts('a slow but steady client gets everything', async ({ path, length }) => {
  const server = await startOwnHost({ transferTimeoutMs: 1000 });
  const { socket, responses } = openConnection(server.url);
  socket.on('data', () => {
    socket.pause();
    setTimeout(() => socket.resume(), 15);
  });
  socket.write(rawGet(path));
  assert.is((await responses(1))[0]?.body.length, length);
  socket.destroy();
  await server.close();
});

timeouts('a request that waits for MongoDB is not cut off', async () => {
  const { database, called, release } = holdDatabase();
  const server = await startOwnHost({ transferTimeoutMs: 150 }, database);
  const { socket, responses } = openConnection(server.url);
  socket.write(rawGet('/data?limit=1') + rawPost('{}'));
  await called;
  await sleep(500);
  release();
  assert.equal(
    (await responses(2)).map(({ status }) => status),
    [200, 201],
  );
  socket.destroy();
  await server.close();
});

timeouts('an idle connection stays open during the keep-alive timeout', async () => {
  const server = await startOwnHost({ transferTimeoutMs: 150, keepAliveTimeoutMs: 60_000 });
  const { socket, responses } = openConnection(server.url);
  for (let count = 1; count <= 3; count++) {
    socket.write(rawGet('/time'));
    await responses(count);
    await sleep(400);
  }
  socket.write(rawPost('{}'));
  assert.is((await responses(4))[3]?.status, 201);
  socket.destroy();
  await server.close();
});

timeouts('an idle connection is closed after the keep-alive timeout', async () => {
  const server = await startOwnHost({ transferTimeoutMs: 60_000, keepAliveTimeoutMs: 150 });
  const { socket, ended } = openConnection(server.url);
  socket.write(rawGet('/time'));
  assert.is((await ended).length, 1);
  await server.close();
});

timeouts('a new connection may wait for its request', async () => {
  const server = await startOwnHost({ transferTimeoutMs: 150 });
  const { socket, responses } = openConnection(server.url);
  await sleep(600);
  socket.write(rawGet('/time'));
  assert.is((await responses(1))[0]?.status, 200);
  socket.destroy();
  await server.close();
});

timeouts.run();

const drain = suite('drain');

drain('finishes requests in flight, closes their connections, and accepts no more', async () => {
  const { database, called, release } = holdDatabase();
  const server = await startOwnHost({}, database);
  const pending = [openConnection(server.url), openConnection(server.url)] as const;
  for (const { socket } of pending) socket.write(rawPost('{}'));
  const idle = openConnection(server.url);
  idle.socket.write(rawGet('/time'));
  await Promise.all([called, idle.responses(1)]);
  const unused = openConnection(server.url);
  await once(unused.socket, 'connect');

  const drained = server.drain(500, 60_000);
  const ready = await send(`${server.url}/readyz`);
  assert.is(ready.status, 503);
  assert.match(ready.json.detail, 'shutting down');
  assert.is(ready.headers.get('connection'), 'close');
  await idle.ended;
  await unused.ended;
  await until(() =>
    send(`${server.url}/time`).then(
      () => false,
      ({ cause }) => cause.code === 'ECONNREFUSED',
    ),
  );
  release();
  for (const { ended, failure } of pending) {
    const [response] = await ended;
    assert.is(response?.status, 201);
    assert.is(response?.headers.get('connection'), 'close');
    assert.is(failure(), undefined);
  }
  await drained;
});

drain('cuts off requests that do not finish in time', async () => {
  const { database, called, release } = holdDatabase();
  const server = await startOwnHost({}, database);
  const { socket, ended } = openConnection(server.url);
  socket.write(rawPost('{}'));
  await called;
  await server.drain(0, 100);
  assert.equal(await ended, []);
  release();
});

drain(
  'pipelined requests get their responses, and the last one closes the connection',
  async () => {
    const { database, called, release } = holdDatabase();
    const server = await startOwnHost({}, database);
    const { socket, ended } = openConnection(server.url);
    socket.write(rawPost('{}'));
    await called;
    const drained = server.drain(1000, 60_000);
    socket.write(rawPost('{}') + rawGet('/time'));
    await send(`${server.url}/time`);
    release();
    assert.equal(
      (await ended).map(({ status, headers }) => [status, headers.get('connection')]),
      [
        [201, 'keep-alive'],
        [201, 'keep-alive'],
        [200, 'close'],
      ],
    );
    await drained;
  },
);

drain('requests that arrive together are all answered, and the last one closes', async () => {
  const { url, drain } = await startOwnHost();
  const { socket, ended } = openConnection(url);
  await once(socket, 'connect');
  const drained = drain(1000, 60_000);
  socket.write(rawGet('/time') + rawPost(small) + rawGet('/livez') + rawGet('/time'));
  assert.equal(
    (await ended).map(({ status, headers }) => [status, headers.get('connection')]),
    [
      [200, 'keep-alive'],
      [201, 'keep-alive'],
      [200, 'keep-alive'],
      [200, 'close'],
    ],
  );
  await drained;
});

drain.run();

const outage = suite('outage');

outage('the service is alive and not ready; a post is told that nothing was stored', async () => {
  // a port of its own: a reason that was logged in the last minute is not logged again
  const mongo = { ...parts().config.mongo, uri: 'mongodb://127.0.0.1:7', timeoutMs: 300 };
  const database = openDatabase(mongo, indexKeys);
  const server = await startOwnHost({ mongo }, () => database);
  const lines: { requestId?: string; reason?: string }[] = [];
  const { warn } = log;
  log.warn = ((line: object) => lines.push(line)) as typeof log.warn;
  try {
    assert.is((await send(`${server.url}/livez`)).status, 200);
    assert.is((await send(`${server.url}/readyz`)).json.type, 'urn:problem-type:not-ready');
    const posted = await post(`${server.url}/data`, {}, { 'X-Request-Id': 'lost' });
    assert.is(posted.status, 503);
    assert.is(posted.json.type, 'urn:problem-type:database-unavailable');
    assert.match(posted.json.detail, 'Nothing was stored.');
    assert.match(posted.json.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    assert.is(posted.headers.get('retry-after'), '1');
    const logged = lines.find(({ requestId }) => requestId === 'lost');
    assert.ok(logged?.reason, JSON.stringify(lines));
  } finally {
    log.warn = warn;
    await server.close();
    await database.close();
  }
});

outage.run();
