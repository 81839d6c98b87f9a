import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export const host = '127.0.0.1';

/** @returns a port of `host` that nothing listens on at the moment */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
