import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FaultyProxy, startProxy } from './faulty-proxy';

interface Context {
  echo: Server;
  proxy: FaultyProxy;
  sockets: Socket[];
  /** Connects and waits for a response. */
  open(): Promise<Socket>;
}

const test = suite<Context>('proxy');

test.before.each(async (context) => {
  context.sockets = [];
  context.echo = createServer((socket) => {
    socket.on('error', () => {}).on('data', (bytes) => socket.write(bytes));
    context.sockets.push(socket);
  }).listen(0, '127.0.0.1');
  await once(context.echo, 'listening');
  context.proxy = await startProxy((context.echo.address() as AddressInfo).port);
  context.open = async () => {
    const socket = connect(context.proxy.port, '127.0.0.1');
    context.sockets.push(socket);
    assert.is(await ask(socket, 'hello'), 'hello');
    return socket;
  };
});

test.after.each(({ echo, proxy, sockets }) => {
  proxy.close();
  for (const socket of sockets) socket.destroy();
  echo.close();
});

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [bytes] = await once(socket, 'data');
  return String(bytes);
}

const codeOf = (socket: Socket) => once(socket, 'error').then(([{ code }]) => code);

test('forwards megabytes unchanged', async ({ open }) => {
  const socket = await open();
  const sent = Buffer.from(Array.from({ length: 2 ** 22 }, (_, n) => n % 251));
  socket.write(sent);
  const parts: Buffer[] = [];
  for (let length = 0; length < sent.length; length += parts.at(-1)?.length ?? 0) {
    parts.push((await once(socket, 'data'))[0]);
  }
  assert.ok(Buffer.concat(parts).equals(sent));
});

test('keeps the order of delayed data', async ({ open, proxy }) => {
  const socket = await open();
  proxy.delayMs = 50;
  socket.write('1');
  await once(socket, 'data');
  socket.write('2');
  proxy.delayMs = 0;
  assert.is(String((await once(socket, 'data'))[0]), '2');
  assert.is(await ask(socket, '3'), '3');
});

test('resets connections', async ({ open, proxy }) => {
  const code = codeOf(await open());
  proxy.reset();
  assert.is(await code, 'ECONNRESET');
  await open();
});

for (const first of ['oldest', 'newest'] as const) {
  test(`closes connections, the ${first} first`, async ({ open, proxy }) => {
    const sockets = [await open(), await open(), await open()];
    const ended: number[] = [];
    const ends = sockets.map(async (socket, n) => {
      await once(socket.resume(), 'end');
      ended.push(n);
    });
    // responses that the kernel still holds would change the order in which the ends are seen
    for (let turns = 0; turns < 3; turns++) await setImmediate();
    proxy.end(first);
    await Promise.all(ends);
    assert.equal(ended, first === 'oldest' ? [0, 1, 2] : [2, 1, 0]);
    await open();
  });
}

for (const swallow of [true, false]) {
  test(`a black hole that ${swallow ? 'reads' : 'does not read'} leaves connections dead`, async ({
    open,
    proxy,
    sockets,
  }) => {
    const before = await open();
    proxy.blackHole(swallow);
    const meanwhile = connect(proxy.port, '127.0.0.1');
    sockets.push(meanwhile);
    await once(meanwhile, 'connect');
    let answered = false;
    for (const socket of [before, meanwhile]) {
      socket.on('data', () => {
        answered = true;
      });
      socket.write('lost');
    }
    proxy.fill();
    assert.is(await ask(await open(), 'again'), 'again');
    assert.not(answered);
  });
}

test('refuses connections, and accepts them again on the same port', async ({ open, proxy }) => {
  const reset = codeOf(await open());
  proxy.refuse();
  assert.is(await reset, 'ECONNRESET');
  assert.is(await codeOf(connect(proxy.port, '127.0.0.1')), 'ECONNREFUSED');
  await proxy.accept();
  await open();
});

for (const from of ['client', 'database'] as const) {
  test(`cuts in the middle of a message from the ${from}`, async ({ open, proxy }) => {
    const socket = await open();
    proxy.cut(from, 1);
    socket.write('12345678');
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes;
    });
    await once(socket, 'close');
    assert.is(received, from === 'client' ? '' : '1234');
    await open();
  });
}

test('resets connections to a database that does not listen', async ({
  open,
  proxy,
  sockets,
  echo,
}) => {
  await open();
  echo.close();
  proxy.target = 1;
  const socket = connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  assert.is(await codeOf(socket), 'ECONNRESET');
});

test.run();
