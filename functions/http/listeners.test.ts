import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Host, openConnection, rawGet, startOwnHost, until } from '../testing/testing';

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

test('at most maxConnections are open, whichever socket accepts them', async () => {
  const port = await open({ maxConnections: 5 });
  const open20 = Array.from({ length: 20 }, () => openConnection(`http://127.0.0.1:${port}`));
  let closed = 0;
  for (const { ended } of open20) void ended.then(() => closed++);
  await until(async () => closed === 15);
  const open5 = open20.filter(({ socket }) => !socket.closed);
  for (const { socket } of open5) socket.write(rawGet('/time'));
  for (const { responses } of open5) assert.is((await responses(1))[0]?.status, 200);
  for (const { socket } of open5) socket.destroy();
});

test.run();
