import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Host, startOwnHost } from '../testing/testing';

const test = suite('listeners');
const hosts: Host[] = [];
const open = async (options: Parameters<typeof startOwnHost>[0]) => {
  const host = await startOwnHost(options);
  hosts.push(host);
  return Number(new URL(host.url).port);
};
test.after.each(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

test('a port on which another service listens is refused', async () => {
  const port = await open({});
  const error = await open({ port }).catch((reason) => reason);
  assert.is(error.code, 'EADDRINUSE');
});

test('connections beyond the limit are closed, whichever socket accepts them', async () => {
  const port = await open({ maxConnections: 5 });
  const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
  const answers = await Promise.all(
    sockets.map((socket) => {
      socket.on('error', () => {}).write('GET /time HTTP/1.1\r\nHost: a\r\n\r\n');
      return new Promise((resolve) => {
        socket.on('data', () => resolve(true)).on('close', () => resolve(false));
      });
    }),
  );
  assert.is(answers.filter(Boolean).length, 5);
  for (const socket of sockets) socket.destroy();
});

test.run();
