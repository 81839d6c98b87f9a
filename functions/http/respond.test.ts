import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../testing/testing';
import { sendBody } from './respond';

/** Starts a server whose responses all have the same body. */
async function serveBody(body: Buffer, responses: ServerResponse[]): Promise<Server> {
  const server = createServer((_, res) => {
    responses.push(res);
    sendBody(res, 200, 'application/json', body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test('a large body that many clients share is not copied for each of them', async () => {
  const body = Buffer.alloc(8 * 1024 * 1024, '1');
  const responses: ServerResponse[] = [];
  const server = await serveBody(body, responses);
  const { port } = server.address() as AddressInfo;
  const before = process.memoryUsage().arrayBuffers;
  const clients: Socket[] = [];
  try {
    for (let n = 0; n < 20; n++) {
      const client = connect(port, '127.0.0.1').pause(); // reads nothing
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      clients.push(client);
    }
    await until(async () => responses.filter((res) => res.writableNeedDrain).length === 20);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 2 * body.length, `${grown} bytes for 20 clients`);
  } finally {
    for (const client of clients) client.destroy();
    server.close();
  }
});

test.run();
