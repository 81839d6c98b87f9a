import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** Sockets that listen on the port. */
const count = 16;

/** Connections that the kernel queues until they are accepted. Its own limit is 4096 on Linux. */
const backlog = 4096;

/**
 * Listens on a port, with several sockets where Node.js can: from 23.1, on Linux. libuv accepts one
 * connection per socket in each turn of the event loop (https://github.com/libuv/libuv/pull/3696), and
 * turns are long under overload. With one socket, new connections, such as those of probes, would wait
 * for many seconds while clients that are connected are served again and again.
 *
 * @param server receives the connections of all sockets
 * @param port 0 for any that is free
 * @returns the servers of the other sockets, to be closed with this one
 * @throws {NodeJS.ErrnoException} `EADDRINUSE` and the like
 */
export async function listen(server: Server, port: number): Promise<Server[]> {
  if (!canShare) {
    await listenOn(server, port);
    return [];
  }
  if (port !== 0) await assertFree(port);
  await listenOn(server, port, canShare);
  const { port: shared } = server.address() as AddressInfo;
  const others = Array.from({ length: count - 1 }, () =>
    createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      server.emit('connection', socket),
    ),
  );
  await Promise.all(others.map((other) => listenOn(other, shared, canShare)));
  return others;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const canShare = process.platform === 'linux' && (major > 23 || (major === 23 && minor >= 1));

/** A socket that shares its port does not find out that another process shares it, too. */
async function assertFree(port: number): Promise<void> {
  const server = createServer();
  await listenOn(server, port);
  await new Promise((resolve) => server.close(resolve));
}

async function listenOn(server: Server, port: number, reusePort = false): Promise<void> {
  await once(server.listen({ port, backlog, reusePort }), 'listening');
}
