import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * @returns a port of 127.0.0.1 that nothing listens on, outside of the range from which systems
 *   take ports for connections: it stays free while nothing listens, and no client that tries to
 *   connect to it meanwhile is connected to itself
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (free) return port;
  }
}
