import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Host,
  holdDatabase,
  openConnection,
  post,
  rawGet,
  rawPostHead,
  startOwnHost,
  until,
} from '../testing/testing';

const test = suite('too many connections');
let host: Host;
const open = async (...options: Parameters<typeof startOwnHost>) => {
  host = await startOwnHost(...options);
  return host.url;
};
test.after.each(() => host.close());

async function connected(url: string, text = '') {
  const connection = openConnection(url);
  await new Promise((resolve) => connection.socket.once('connect', resolve));
  connection.socket.write(text);
  return connection;
}

const half = {
  'that are silent': '',
  'with half a request': 'GET /time HTTP/1.1\r\nHost: a\r\n',
  'with half a body': `${rawPostHead('Content-Length: 100')}{"a":`,
};
for (const [what, text] of Object.entries(half)) {
  test(`connections ${what} lock nobody out`, async () => {
    const url = await open({ maxConnections: 3 });
    const hoarded = [];
    for (let i = 0; i < 3; i++) hoarded.push(await connected(url, text));
    for (let i = 0; i < 6; i++) {
      const { responses } = await connected(url, rawGet('/livez'));
      assert.is((await responses(1))[0]?.status, 200);
    }
    await Promise.race(hoarded.map(({ ended }) => ended));
  });
}

test('clients that do not read lock nobody out', async () => {
  const url = await open({ maxConnections: 3, transferTimeoutMs: 600_000 });
  const text = 'x'.repeat(1_000_000);
  for (let i = 0; i < 8; i++) assert.is((await post(`${url}/data`, { text })).status, 201);
  // more than the kernel takes
  const lists = rawGet('/data?limit=8').repeat(10);
  const hoarded = [];
  for (let i = 0; i < 3; i++) {
    const { socket } = await connected(url, lists);
    await new Promise((resolve) => socket.once('data', resolve));
    hoarded.push(socket.pause());
  }
  await until(async () => {
    const { socket, ended, responses } = await connected(url, rawGet('/livez'));
    const answered = await Promise.race([responses(1), ended]).catch(() => []);
    socket.destroy();
    return answered.length === 1;
  });
  for (const socket of hoarded) socket.destroy();
});

test('the one that has sent no request for longest is closed', async () => {
  const url = await open({ maxConnections: 4 });
  const request = async ({ socket, responses }: Awaited<ReturnType<typeof connected>>, nth = 1) => {
    socket.write(rawGet('/time'));
    return (await responses(nth))[nth - 1]?.status;
  };
  const [first, second, third] = [await connected(url), await connected(url), await connected(url)];
  for (const connection of [second, third, first]) await request(connection);
  await connected(url);
  await request(await connected(url));
  assert.is((await second.ended).length, 1);
  assert.is(await request(first, 2), 200);
  assert.is(await request(third, 2), 200);
});

test('where there are as many as may be, a response closes its connection', async () => {
  const url = await open({ maxConnections: 2 });
  const first = await connected(url, rawGet('/time'));
  await first.responses(1);
  const second = await connected(url, rawGet('/time'));
  const [response] = await second.ended;
  assert.is(response?.headers.get('connection'), 'close');
  first.socket.write(rawGet('/time'));
  assert.is((await first.responses(2))[1]?.headers.get('connection'), 'keep-alive');
});

test('requests that are being worked on keep their connections', async () => {
  const { database, called, release } = holdDatabase();
  const url = await open({ maxConnections: 1 }, database);
  const stored = post(`${url}/data`, { a: 1 });
  await called;
  const refused = await connected(url, rawGet('/livez'));
  assert.equal(await refused.ended, []);
  release();
  assert.is((await stored).status, 201);
});

test.run();
