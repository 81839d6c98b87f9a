import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export const host = '127.0.0.1';

/** @returns a port of `host` on which nothing listens now */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * @returns a port of `host` on which nothing listens, outside the range of ephemeral ports: it stays
 *   free while nothing listens on it, and a client that tries to connect to it meanwhile can't
 *   connect to itself
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, host);
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (free) return port;
  }
}

/** Whether something listens on a port of `host`. */
export function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, host);
    socket.once('error', () => done(false));
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
  });
}
