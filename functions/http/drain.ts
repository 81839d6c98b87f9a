import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as untilPolled } from 'node:timers/promises';
import { log } from '../runtime/log';
import type { Connection, Connections } from './connection';

// The steps in which a server stops without losing a request. `serve` puts them in order.

/** The server stops accepting connections once none has come for `quietMs`. */
const quietMs = 100;
const maxQuietWaitMs = 2000;

/** Unused connections are closed after this many sweeps. */
const sweepIntervalMs = 250;
const maxUnusedSweeps = 2;

/** Closes each connection with its last response. */
export function closeWithLastResponse(connections: Iterable<Connection>): void {
  for (const { responses } of connections) {
    const last = responses.at(-1);
    if (last) last.shouldKeepAlive = false;
  }
}

/** Waits until no connection has arrived for `quietMs`, for two seconds at most. */
export async function untilQuiet(server: NetServer): Promise<void> {
  let arrived = true;
  server.on('connection', () => {
    arrived = true;
  });
  for (let waitedMs = 0; arrived && waitedMs < maxQuietWaitMs; waitedMs += quietMs) {
    arrived = false;
    await sleep(quietMs);
    // connections that arrived while the process got no CPU are accepted after the timer
    await untilPolled();
  }
}

/**
 * Stops listening, and waits until all connections have ended.
 *
 * @param otherListeners whose connections the server handles, too
 * @param timeoutMs when to cut off those that are left
 */
export async function closeServer(
  server: Server,
  otherListeners: NetServer[],
  connections: Connections,
  timeoutMs: number,
): Promise<void> {
  function closeUnused(): void {
    server.closeIdleConnections();
    // to Node, a connection without any request is not idle; several sweeps, as one may be unread yet
    for (const [socket, connection] of connections) {
      const isUnused = (socket as Socket).bytesRead === 0;
      if (isUnused && ++connection.unusedSweeps > maxUnusedSweeps) socket.destroy();
    }
  }

  // net's close, as http's also closes new connections that have not sent a request yet
  const closed = Promise.all([server, ...otherListeners].map(closeListener)).then(() => true);
  const sweep = setInterval(() => setImmediate(closeUnused), sweepIntervalMs);
  const isFinished = await Promise.race([closed, sleep(timeoutMs, false, { ref: false })]);
  clearInterval(sweep);
  if (!isFinished) {
    log.warn(`requests still in flight after ${timeoutMs} ms were cut off`);
    server.closeAllConnections();
  }
}

/** Waits for the end of its connections. */
function closeListener(server: NetServer): Promise<void> {
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
}
