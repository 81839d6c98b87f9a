import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { get } from '../common/http-connection';
import { runOpenLoad } from './open-load';

test('an open load is spread evenly, and counts what is not answered as it should be', async () => {
  const received = [0, 0];
  const servers = received.map((_, i) =>
    createServer((_req, res) => {
      received[i] = (received[i] ?? 0) + 1;
      res.writeHead(received[i] === 1 ? 500 : 200).end('{}');
    }).listen(0, '127.0.0.1'),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  const { latencies, failed } = await runOpenLoad(ports, Buffer.from(get('/')), 200, 100, 1);
  for (const server of servers) server.close();
  assert.equal(received, [50, 50]);
  assert.is(latencies.length, 98);
  assert.is(failed, 2);
});

test.run();
