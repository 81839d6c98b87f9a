import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { indexKeys } from '../documents/insert';
import { parts } from '../index';
import { openDatabase } from '../mongo/database';
import { log } from '../runtime/log';
import {
  converse,
  exchange,
  getText,
  holdDatabase,
  parseAnswers,
  post,
  postHead,
  postText,
  send,
  startOwnHost,
  until,
} from '../testing/testing';

const close = 'Connection: close\r\n';
/** Asks in one piece for what ends the connection, and reads the one answer to it. */
async function askOnce(url: string, text: string) {
  const answers = parseAnswers(await exchange(url, text));
  assert.is(answers.length, 1);
  return answers[0] as (typeof answers)[0];
}

const head = suite('heads of requests', { url: '' });
{
  let server: Awaited<ReturnType<typeof startOwnHost>>;
  head.before(async (context) => {
    server = await startOwnHost();
    context.url = server.url;
  });
  head.after(() => server.close());
}

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
  head(`${what} is taken`, async ({ url }) => {
    const text = `GET /time HTTP/${version}\r\n${lines}\r\n`;
    const { status, body } = await askOnce(
      url,
      `${text}${lines.includes(close.trim()) ? '' : close}\r\n`,
    );
    assert.is(status, 200, body);
  });
}

for (const [what, text, status, type, detail] of [
  ['no Host', `GET / HTTP/1.1\r\n${close}\r\n`, 400, 'malformed-request', 'Send one Host header.'],
  ['two Hosts', getText('/', 'Host: b'), 400, 'malformed-request', 'Send one Host header.'],
  [
    'the same Host twice',
    getText('/', 'host: a'),
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
        postHead(`Transfer-Encoding: ${coding}`),
        501,
        'unsupported-transfer-coding',
        'chunked and no other',
      ] as const,
  ),
  ...['chunked', 'gzip', 'gzip, chunked'].map(
    (coding) =>
      [
        `Transfer-Encoding ${coding} with a Content-Length`,
        postHead(`Content-Length: 2\r\nTransfer-Encoding: ${coding}`),
        400,
        'malformed-request',
        '',
      ] as const,
  ),
  ['two lengths', postHead('Content-Length: 2\r\nContent-Length: 3'), 400, 'malformed-request', ''],
  ['a length that is none', postHead('Content-Length: 2x'), 400, 'malformed-request', ''],
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
    getText('/', `A: ${'x'.repeat(20_000)}`),
    431,
    'headers-too-large',
    'Send at most 16 KiB of headers.',
  ],
  [
    'a path of 20 KB',
    getText(`/${'x'.repeat(20_000)}`),
    431,
    'headers-too-large',
    'Send at most 16 KiB of headers.',
  ],
  [
    'another expectation',
    getText('/', 'Expect: more', close.trim()),
    417,
    'expectation-failed',
    '',
  ],
  ['a method in small letters', 'get / HTTP/1.1\r\n\r\n', 400, 'malformed-request', 'capital'],
  ['what is no HTTP', 'nonsense\r\n\r\n', 400, 'malformed-request', ''],
  ['a greeting of TLS', '\x16\x03\x01\x02\x00\x01', 400, 'malformed-request', ''],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed-request', ''],
  ['a body that is badly chunked', `${postHead('Transfer-Encoding: chunked')}x\r\n`, 400, '', ''],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405, 'method-not-allowed', ''],
] as const) {
  head(`${what} is refused`, async ({ url }) => {
    const { headers, body, ...answer } = await askOnce(url, text);
    assert.is(answer.status, status, body);
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

head('CONNECT tells what there is', async ({ url }) => {
  const { headers } = await askOnce(url, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
  assert.is(headers.get('allow'), 'GET, POST, HEAD, OPTIONS');
});

head.run();

const common = suite('headers of answers', { url: '' });
{
  let server: Awaited<ReturnType<typeof startOwnHost>>;
  common.before(async (context) => {
    server = await startOwnHost();
    context.url = server.url;
  });
  common.after(() => server.close());
}

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
    const answer = await send(url + path, init);
    assert.is(answer.status, status, answer.text);
    assert.is(answer.headers.get('cache-control'), 'no-store');
    assert.is(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.ok(answer.headers.get('x-request-id'));
  });
}

common('500, whose log line has the same id', async () => {
  const broken = await startOwnHost({}, () => {
    throw new Error('a fault of ours');
  });
  const lines: { requestId?: string; err?: Error }[] = [];
  const { error } = log;
  log.error = ((line: object) => lines.push(line)) as typeof log.error;
  try {
    const answer = await post(`${broken.url}/data`, {}, { 'X-Request-Id': 'mine' });
    assert.is(answer.status, 500);
    assert.not.match(answer.text, 'a fault of ours');
    assert.is(answer.headers.get('cache-control'), 'no-store');
    assert.is(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.is(answer.headers.get('x-request-id'), 'mine');
    assert.equal(
      lines.map(({ requestId, err }) => [requestId, err?.message]),
      [['mine', 'a fault of ours']],
    );
  } finally {
    log.error = error;
    await broken.close();
  }
});

for (const id of ['a', 'x'.repeat(200), '!~', '00-4bf92f3577b34da6a3ce929d0e0e4736-00']) {
  common(`the id ${id.slice(0, 20)} of a client is returned`, async ({ url }) => {
    const { headers } = await askOnce(url, getText('/time', `X-Request-Id: ${id}`, close.trim()));
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
      const { headers } = await askOnce(url, getText('/time', ...lines, close.trim()));
      assert.match(headers.get('x-request-id') ?? '', /^[\da-f]{12}-\d+$/);
      ids.add(headers.get('x-request-id'));
    }
    assert.is(ids.size, 2);
  });
}

common.run();

const upgrade = ['Connection: Upgrade', 'Upgrade: h2c'];
const sequence = suite('requests of one connection', { url: '' });
{
  let server: Awaited<ReturnType<typeof startOwnHost>>;
  sequence.before(async (context) => {
    server = await startOwnHost();
    context.url = server.url;
    await post(`${server.url}/data`, {});
  });
  sequence.after(() => server.close());
}

const small = '{"a":"b"}';
const inChunks = (text: string) =>
  `${postHead(`Transfer-Encoding: chunked\r\n${upgrade.join('\r\n')}`)}${[...text]
    .map((char) => `1\r\n${char}\r\n`)
    .join('')}0\r\n\r\n`;

for (const [what, text, statuses] of [
  ['a GET that asks for an upgrade', getText('/time', ...upgrade), [200]],
  ['a POST', postText(small, ...upgrade), [201]],
  ['a POST in chunks', inChunks(small), [201]],
  ['a POST without a body', postText('', ...upgrade), [400]],
  ['two of them', getText('/time', ...upgrade) + postText(small, ...upgrade), [200, 201]],
  ['twenty of them', getText('/time', ...upgrade).repeat(20), Array(20).fill(200)],
  ['one behind a pending request', postText(small) + getText('/time', ...upgrade), [201, 200]],
  ['one behind another request', getText('/livez') + getText('/time', ...upgrade), [200, 200]],
] as [string, string, number[]][]) {
  const all = `${text}${getText('/nothing')}`;
  const expected = [...statuses, 404];
  sequence(`${what}, and a request behind it, are answered`, async ({ url }) => {
    const { socket, answers } = converse(url);
    socket.write(all);
    const got = await answers(expected.length);
    assert.equal(
      got.map(({ status }) => status),
      expected,
    );
    socket.destroy();
  });

  sequence(`${what}, in pieces`, async ({ url }) => {
    const { socket, answers } = converse(url);
    const pieces = all.match(/.{1,37}/gs) ?? [];
    for (const piece of pieces) {
      socket.write(piece);
      await sleep(1);
    }
    const got = await answers(expected.length);
    assert.equal(
      got.map(({ status }) => status),
      expected,
    );
    socket.destroy();
  });
}

for (const [what, text] of [
  ['an upgrade', getText('/time', ...upgrade)],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
  ['nonsense', 'nonsense\r\n\r\n'],
  ['another request', getText('/time')],
] as const) {
  sequence(`a reset while ${what} waits for the answer before it harms nobody`, async ({ url }) => {
    const { socket } = converse(url);
    socket.write(getText('/data?limit=1') + text);
    await once(socket, 'connect');
    await sleep(2);
    socket.resetAndDestroy();
    assert.is((await send(`${url}/data?limit=1`)).status, 200);
  });

  if (what === 'an upgrade' || what === 'another request') continue;
  sequence(`${what} behind a post is answered after it`, async ({ url }) => {
    const answers = parseAnswers(await exchange(url, `${postText(small)}${text}`));
    assert.equal(
      answers.map(({ status }) => status),
      [201, what === 'CONNECT' ? 405 : 400],
    );
  });
}

sequence('a thousand requests at once are all answered', async ({ url }) => {
  const { socket, answers } = converse(url);
  socket.write(getText('/time').repeat(1000));
  const got = await answers(1000);
  assert.ok(got.every(({ status }) => status === 200));
  assert.is(new Set(got.map(({ headers }) => headers.get('x-request-id'))).size, 1000);
  socket.destroy();
});

sequence('posts that come at once are answered in their order', async ({ url }) => {
  const { socket, answers } = converse(url);
  socket.write(Array.from({ length: 30 }, (_, n) => postText(JSON.stringify({ n }))).join(''));
  const got = await answers(30);
  assert.equal(
    got.map(({ body }) => JSON.parse(body).data?.n),
    Array.from({ length: 30 }, (_, n) => n),
  );
  socket.destroy();
});

sequence.run();

const timeouts = suite('connections', { path: '', length: 0 });

timeouts.before(async (context) => {
  // more than the kernel takes for a reader that reads nothing
  const text = 'x'.repeat(1_000_000);
  const { url, close } = await startOwnHost();
  await Promise.all(Array.from({ length: 9 }, (_, n) => post(`${url}/data`, { n, text })));
  context.path = '/data?limit=9';
  context.length = (await send(url + context.path)).text.length;
  await close();
});

timeouts('a reader that stops is cut off', async ({ path, length }) => {
  const server = await startOwnHost({ transferTimeoutMs: 150 });
  const { socket, ended, received } = converse(server.url);
  socket.write(getText(path));
  await once(socket, 'data');
  socket.pause();
  await sleep(1500);
  socket.resume();
  await ended;
  assert.ok(received().length < length);
  await server.close();
});

timeouts('one that reads slowly, but goes on, gets everything', async ({ path, length }) => {
  const server = await startOwnHost({ transferTimeoutMs: 1000 });
  const { socket, answers } = converse(server.url);
  socket.on('data', () => {
    socket.pause();
    setTimeout(() => socket.resume(), 15);
  });
  socket.write(getText(path));
  assert.is((await answers(1))[0]?.body.length, length);
  socket.destroy();
  await server.close();
});

timeouts('an answer that waits for the database is not cut off', async () => {
  const { database, asked, release } = holdDatabase();
  const server = await startOwnHost({ transferTimeoutMs: 150 }, database);
  const { socket, answers } = converse(server.url);
  socket.write(getText('/data?limit=1') + postText('{}'));
  await asked;
  await sleep(500);
  release();
  assert.equal(
    (await answers(2)).map(({ status }) => status),
    [200, 201],
  );
  socket.destroy();
  await server.close();
});

timeouts('an idle one stays for the time of keep-alive', async () => {
  const server = await startOwnHost({ transferTimeoutMs: 150, keepAliveTimeoutMs: 60_000 });
  const { socket, answers } = converse(server.url);
  for (let count = 1; count <= 3; count++) {
    socket.write(getText('/time'));
    await answers(count);
    await sleep(400);
  }
  socket.write(postText('{}'));
  assert.is((await answers(4))[3]?.status, 201);
  socket.destroy();
  await server.close();
});

timeouts('and no longer', async () => {
  const server = await startOwnHost({ transferTimeoutMs: 60_000, keepAliveTimeoutMs: 150 });
  const { socket, ended } = converse(server.url);
  socket.write(getText('/time'));
  assert.is((await ended).length, 1);
  await server.close();
});

timeouts('a new one may wait for its request', async () => {
  const server = await startOwnHost({ transferTimeoutMs: 150 });
  const { socket, answers } = converse(server.url);
  await sleep(600);
  socket.write(getText('/time'));
  assert.is((await answers(1))[0]?.status, 200);
  socket.destroy();
  await server.close();
});

timeouts.run();

const drain = suite('drain');

drain('answers what is under way, closes its connections, and takes no more', async () => {
  const { database, asked, release } = holdDatabase();
  const server = await startOwnHost({}, database);
  const pending = [converse(server.url), converse(server.url)] as const;
  for (const { socket } of pending) socket.write(postText('{}'));
  const idle = converse(server.url);
  idle.socket.write(getText('/time'));
  await Promise.all([asked, idle.answers(1)]);
  const unused = converse(server.url);
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
    const [answer] = await ended;
    assert.is(answer?.status, 201);
    assert.is(answer?.headers.get('connection'), 'close');
    assert.is(failure(), undefined);
  }
  await drained;
});

drain('cuts off what is not done in time', async () => {
  const { database, asked, release } = holdDatabase();
  const server = await startOwnHost({}, database);
  const { socket, ended } = converse(server.url);
  socket.write(postText('{}'));
  await asked;
  await server.drain(0, 100);
  assert.equal(await ended, []);
  release();
});

drain('the requests of a pipeline are all answered, and the last one closes it', async () => {
  const { database, asked, release } = holdDatabase();
  const server = await startOwnHost({}, database);
  const { socket, ended } = converse(server.url);
  socket.write(postText('{}'));
  await asked;
  const drained = server.drain(1000, 60_000);
  socket.write(postText('{}') + getText('/time'));
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
});

drain.run();

const outage = suite('outage');

outage('the service is alive and not ready; a post is told that nothing was stored', async () => {
  const mongo = { ...parts().config.mongo, uri: 'mongodb://127.0.0.1:1', timeoutMs: 300 };
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
    const told = lines.find(({ requestId }) => requestId === 'lost');
    assert.ok(told?.reason, JSON.stringify(lines));
  } finally {
    log.warn = warn;
    await server.close();
    await database.close();
  }
});

outage.run();
