import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Config } from '../config';
import { parts } from '../index';
import { deferred } from '../runtime/deferred';
import {
  holdDatabase,
  openConnection,
  parseResponses,
  post,
  rawGet,
  rawPostHead,
  send,
  startOwnHost,
  until,
} from '../testing/testing';

const chunkedHead = rawPostHead('Transfer-Encoding: chunked');
const hosts: { close(): Promise<void> }[] = [];

async function open(...args: Parameters<typeof startOwnHost>): Promise<string> {
  const host = await startOwnHost(...args);
  hosts.push(host);
  return host.url;
}

async function closeAll(): Promise<void> {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
}

const bodies = suite('bodies');
bodies.after.each(closeAll);

for (const [what, text] of [
  ['after its first byte', `${rawPostHead('Content-Length: 100')}{`],
  ['before its first byte', rawPostHead('Content-Length: 100')],
  ['in chunks', `${chunkedHead}1\r\n{\r\n`],
  ['in the middle of a chunk', `${chunkedHead}ff\r\n{`],
  ['in the length of a chunk', `${chunkedHead}1\r\n{\r\nf`],
  ['before the last chunk', `${chunkedHead}2\r\n{}\r\n`],
] as const) {
  bodies(`a body that stops ${what} gets a 408`, async () => {
    const url = await open({ transferTimeoutMs: 150 });
    const { socket, ended, failure } = openConnection(url);
    socket.write(text);
    const [response, ...more] = await ended;
    assert.is(response?.status, 408);
    assert.is(JSON.parse(response?.body ?? '').type, 'urn:problem-type:request-timeout');
    assert.equal(more, []);
    assert.is(failure(), undefined);
  });
}

bodies('the body of a GET is not read for longer than others', async () => {
  const url = await open({ transferTimeoutMs: 150 });
  const { socket, ended } = openConnection(url);
  socket.write(rawGet('/time', 'Content-Length: 1000000'));
  let isOpen = true;
  void ended.then(() => (isOpen = false));
  await until(async () => {
    if (isOpen) socket.write('x');
    return !isOpen;
  });
  assert.equal(
    (await ended).map(({ status }) => status),
    [200],
  );
});

bodies('a slow but steady body is accepted', async () => {
  const url = await open({ transferTimeoutMs: 1000 });
  const { socket, responses } = openConnection(url);
  const body = JSON.stringify({ text: 'x'.repeat(20) });
  socket.write(rawPostHead(`Content-Length: ${body.length}`));
  for (const char of body) {
    await sleep(60);
    socket.write(char);
  }
  assert.is((await responses(1))[0]?.status, 201);
  socket.destroy();
});

bodies('a body that stops while it waits for memory gets a 408 when there is some', async () => {
  const { database, called, release } = holdDatabase();
  const url = await open({ transferTimeoutMs: 150, memoryBudgetBytes: 70_000 }, database);
  const first = post(`${url}/data`, {});
  await called;
  const { socket, ended } = openConnection(url);
  await once(socket, 'connect');
  socket.write(`${rawPostHead('Content-Length: 10000')}{`);
  await sleep(400);
  release();
  assert.is((await first).status, 201);
  assert.is((await ended)[0]?.status, 408);
});

bodies('chunks of one byte are accepted', async () => {
  const url = await open();
  const { socket, responses } = openConnection(url);
  const body = JSON.stringify({ text: 'x'.repeat(20_000) });
  socket.write(`${chunkedHead}${[...body].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`);
  const [response] = await responses(1);
  assert.is(response?.status, 201);
  assert.is(JSON.parse(response?.body ?? '').data.text.length, 20_000);
  socket.destroy();
});

bodies('trailers are accepted', async () => {
  const url = await open();
  const { socket, responses } = openConnection(url);
  socket.write(`${chunkedHead}2\r\n{}\r\n0\r\nA: b\r\n\r\n${rawGet('/time')}`);
  assert.equal(
    (await responses(2)).map(({ status }) => status),
    [201, 200],
  );
  socket.destroy();
});

/** Posts a body, and closes the client's side of the connection. */
async function postAndClose(url: string, length: number) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.end(`${rawPostHead(`Content-Length: ${length}`)}{"a":1}`);
  return parseResponses((await socket.setEncoding('latin1').toArray()).join(''))[0];
}

bodies('a body that ends early gets a 400', async () => {
  const response = await postAndClose(await open(), 70);
  assert.is(response?.status, 400);
  assert.is(JSON.parse(response?.body ?? '').type, 'urn:problem-type:incomplete-body');
});

bodies('a client may close its side of the connection after the body', async () => {
  assert.is((await postAndClose(await open(), 7))?.status, 201);
});

const mebibyte = 2 ** 20;

for (const [status, size, lines] of [
  [413, 4 * mebibyte, []],
  [415, mebibyte, ['Content-Encoding: gzip']],
  [415, 4 * mebibyte, ['Content-Encoding: gzip']],
  [400, mebibyte, ['Idempotency-Key: a b']],
  [503, mebibyte, []],
] as [number, number, string[]][]) {
  bodies(
    `after an early ${status}, the client may send all ${size} bytes of the body`,
    async () => {
      // for the 503, no memory becomes free in time
      const { mongo } = parts().config;
      const { database, called, release } = holdDatabase();
      const busy: Partial<Config> = {
        memoryBudgetBytes: 40_000,
        mongo: { ...mongo, timeoutMs: 100 },
      };
      const url = await open(status === 503 ? busy : {}, database);
      const first = status === 503 ? post(`${url}/data`, {}) : undefined;
      if (first) await called;
      const { socket, responses, failure } = openConnection(url);
      socket.write(rawPostHead([`Content-Length: ${size}`, ...lines].join('\r\n')));
      assert.is((await responses(1))[0]?.status, status);
      for (let sent = 0; sent < size; sent += 2 ** 16) {
        if (!socket.write('x'.repeat(2 ** 16))) await once(socket, 'drain');
        await sleep(2);
      }
      socket.write(rawGet('/time'));
      assert.equal(
        (await responses(2)).map((response) => response.status),
        [status, 200],
      );
      assert.is(failure(), undefined);
      socket.destroy();
      release();
      await first;
    },
  );
}

bodies('a chunked body over the limit gets a 413, and is cut off if it does not end', async () => {
  const url = await open();
  const { socket, responses, ended } = openConnection(url);
  const chunk = `10000\r\n${'x'.repeat(2 ** 16)}\r\n`;
  socket.write(chunkedHead);
  for (let sent = 0; sent <= 16; sent++) socket.write(chunk);
  assert.is((await responses(1))[0]?.status, 413);
  const sending = setInterval(() => socket.write(chunk), 10);
  await ended;
  clearInterval(sending);
});

bodies.run();

const expecting = suite('Expect: 100-continue');
expecting.after.each(closeAll);

const expect = 'Expect: 100-continue';
const expectingHead = (...lines: string[]) => rawPostHead([expect, ...lines].join('\r\n'));

for (const [status, head] of [
  [400, expectingHead('Content-Length: 2', 'Idempotency-Key: "a')],
  [400, expectingHead('Content-Length: 2').replace('/data', '/data?x=1')],
  [400, expectingHead('Content-Length: 2', 'Host: b')],
  [404, expectingHead('Content-Length: 2').replace('/data', '/nothing')],
  [405, expectingHead('Content-Length: 2').replace('/data', '/time')],
  [405, expectingHead('Content-Length: 2').replace('POST', 'PUT')],
  [413, expectingHead('Content-Length: 5000000')],
  [415, expectingHead('Content-Length: 2').replace('json', 'xml')],
  [415, expectingHead('Content-Length: 2', 'Content-Encoding: br')],
  [501, expectingHead('Transfer-Encoding: gzip, chunked')],
] as const) {
  expecting(`${status} without a 100 closes the connection`, async () => {
    const { socket, ended } = openConnection(await open());
    socket.write(head);
    assert.equal(
      (await ended).map((response) => [response.status, response.headers.get('connection')]),
      [[status, 'close']],
    );
  });
}

for (const [status, body, framing] of [
  [201, '{}', 'Content-Length: 2'],
  [201, '2\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'],
  [422, '[]', 'Content-Length: 2'],
  [400, '{,', 'Content-Length: 2'],
] as const) {
  expecting(`a 100 comes before the ${status} with ${framing}`, async () => {
    const { socket, responses, ended } = openConnection(await open());
    socket.write(expectingHead(framing));
    assert.is((await responses(1))[0]?.status, 100);
    socket.write(body);
    assert.equal(
      (await ended).map((response) => response.status),
      [100, status],
    );
  });
}

expecting('no 100 before there is memory for the body', async () => {
  const { mongo } = parts().config;
  const { database, called, release } = holdDatabase();
  const url = await open(
    { memoryBudgetBytes: 40_000, mongo: { ...mongo, timeoutMs: 200 } },
    database,
  );
  const first = post(`${url}/data`, {});
  await called;
  const { socket, ended } = openConnection(url);
  socket.write(expectingHead('Content-Length: 9000'));
  assert.equal(
    (await ended).map((response) => response.status),
    [503],
  );
  release();
  assert.is((await first).status, 201);
});

expecting('a client that does not wait for the 100 gets the error', async () => {
  const { socket, ended, failure } = openConnection(await open());
  socket.write(expectingHead('Content-Length: 2000000') + 'x'.repeat(2_000_000));
  assert.equal(
    (await ended).map((response) => response.status),
    [413],
  );
  assert.is(failure(), undefined);
});

expecting('no 100 for a request without a body', async () => {
  const { socket, ended } = openConnection(await open());
  socket.write(rawGet('/time', expect));
  assert.equal(
    (await ended).map((response) => response.status),
    [200],
  );
});

expecting.run();

const overload = suite('not enough memory');
overload.after.each(closeAll);

overload('posts wait for memory, and succeed', async () => {
  const { database, called, release } = holdDatabase();
  const url = await open({ memoryBudgetBytes: 200_000 }, database);
  const text = 'x'.repeat(60_000);
  const posts = Array.from({ length: 8 }, (_, n) => post(`${url}/data`, { n, text }));
  await called;
  release();
  const responses = await Promise.all(posts);
  assert.equal(
    responses.map(({ status, json }) => [status, json.data.n]),
    responses.map((_, n) => [201, n]),
  );
});

overload('a post that gets no memory in time is told that nothing was stored', async () => {
  const { mongo } = parts().config;
  const { database, called, release } = holdDatabase();
  const url = await open(
    { memoryBudgetBytes: 60_000, mongo: { ...mongo, timeoutMs: 200 } },
    database,
  );
  const first = post(`${url}/data`, {});
  await called;
  const [waits, lists] = await Promise.all([
    post(`${url}/data`, { text: 'x'.repeat(5000) }),
    send(`${url}/data`),
  ]);
  for (const { status, json, headers } of [waits, lists]) {
    assert.is(status, 503);
    assert.is(json.type, 'urn:problem-type:overloaded');
    assert.is(headers.get('retry-after'), '1');
  }
  assert.match(waits.json.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  assert.match(waits.json.detail, 'Nothing was stored.');
  release();
  assert.is((await first).status, 201);
  assert.is((await send(`${url}/data/${waits.json.id}`)).status, 404);
});

overload('large documents that are not started halfway to their deadline get a 503', async () => {
  const { mongo } = parts().config;
  const { database, called, release } = holdDatabase();
  const url = await open({ mongo: { ...mongo, timeoutMs: 3000 } }, database);
  const text = 'x'.repeat(1_000_000);
  const posts = Array.from({ length: 6 }, (_, n) => post(`${url}/data`, { n, text }));
  await called;
  // four of them are written at a time
  for (let count = 0; count < 2; count++) {
    const { status, json } = await Promise.race(posts);
    assert.is(status, 503);
    assert.is(json.type, 'urn:problem-type:overloaded');
    assert.match(json.detail, 'Nothing was stored.');
    for (const [n, one] of posts.entries()) {
      if ((await Promise.race([one, undefined]))?.json.id === json.id) posts.splice(n, 1);
    }
  }
  release();
  const statuses = (await Promise.all(posts)).map(({ status }) => status);
  assert.equal(statuses, [201, 201, 201, 201]);
});

overload('large documents wait for MongoDB as long as small ones', async () => {
  const { database, called, release } = holdDatabase();
  const [waiting, reachable] = [deferred<void>(), deferred<void>()];
  const mongo = { ...parts().config.mongo, timeoutMs: 1000 };
  const largest = 4 * 1024 * 1024; // the whole share of large documents
  const url = await open({ mongo, bodyLimitBytes: 2 * largest }, () => ({
    ...database(),
    state: () => 'unreachable',
    ready() {
      waiting.resolve();
      return reachable.promise;
    },
  }));
  const first = post(`${url}/data`, { text: 'x'.repeat(largest) });
  await called;
  const second = post(`${url}/data`, { text: 'x'.repeat(5000) });
  // halfway to its deadline, where it would be rejected if MongoDB were reachable
  await Promise.race([waiting.promise, second]);
  release();
  assert.is((await first).status, 201);
  reachable.resolve();
  assert.is((await second).status, 201);
});

overload('a slow client is evicted in favour of others', async () => {
  const url = await open({ memoryBudgetBytes: 100_000 });
  const { socket, responses } = openConnection(url);
  socket.write(`${rawPostHead('Content-Length: 30000')}{`);
  await once(socket, 'connect');
  await send(`${url}/time`);
  const others = Array.from({ length: 5 }, () => post(`${url}/data`, { text: 'x'.repeat(9000) }));
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  assert.equal(statuses, [201, 201, 201, 201, 201]);
  const [response] = await responses(1);
  assert.is(response?.status, 503);
  const problem = JSON.parse(response?.body ?? '');
  assert.is(problem.type, 'urn:problem-type:overloaded');
  assert.match(problem.detail, 'Nothing was stored.');
  socket.destroy();
});

for (const count of [60, 5000]) {
  overload(`${count} reads of a client that goes away release their memory`, async () => {
    // enough memory for one read at a time, if nothing else is reserved
    const url = await open({ memoryBudgetBytes: 2 ** 24 });
    const { json } = await post(`${url}/data`, { text: 'x'.repeat(900_000) });
    for (let round = 0; round < 3; round++) {
      const { socket, ended } = openConnection(url);
      socket.pause();
      socket.write(rawGet(`/data/${json.id}`).repeat(count));
      await once(socket, 'connect');
      await sleep(200);
      socket.destroy();
      await ended;
      assert.is((await send(`${url}/data/${json.id}`)).status, 200);
    }
  });
}

overload.run();
