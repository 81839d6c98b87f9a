import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { host, lastingPort } from './ports';

export type Side = 'client' | 'database';

/** A TCP proxy in front of a database that injects faults. Its port stays the same. */
export interface FaultyProxy {
  port: number;
  /** The port that new connections are forwarded to. */
  target: number;
  /** Delay in each direction, in ms. */
  delayMs: number;
  /** Resets all connections that still forward data. */
  reset(): void;
  /** Closes them with a FIN each, as a server does that shuts down, in this order. */
  end(first: 'oldest' | 'newest'): void;
  /**
   * Stops forwarding, without closing anything, for good on all present connections and on those
   * that are opened until `fill`.
   *
   * @param swallow whether bytes are read and dropped, or not read at all
   */
  blackHole(swallow: boolean): void;
  /** Ends `blackHole`: new connections are forwarded again. */
  fill(): void;
  /**
   * Cuts the next messages from one side: forwards a part of each, then closes its connection on both
   * sides.
   *
   * @param count of messages; 0 turns this off
   * @param part of each message that is forwarded, from 0 to 1
   */
  cut(from: Side, count: number, part?: number): void;
  /** Resets all connections and refuses new ones until `accept`. */
  refuse(): void;
  accept(): Promise<void>;
  close(): void;
}

interface Connection {
  client: Socket;
  database: Socket | undefined;
  dead: boolean;
}

/** Bytes that wait in one direction until its source is paused. */
const maxBuffered = 1024 * 1024;

/** @param target the database's port on 127.0.0.1 */
export async function startProxy(target: number): Promise<FaultyProxy> {
  const connections = new Set<Connection>();
  let hole: { swallow: boolean } | undefined;
  let cutting = { from: 'client' as Side, left: 0, part: 0.5 };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const connection: Connection = { client, database: undefined, dead: false };
    connections.add(connection);
    client.on('error', () => {});
    client.on('close', () => {
      connections.delete(connection);
      connection.database?.destroy();
    });
    if (hole) return kill(connection, hole.swallow);
    const database = connect({ host, port: proxy.target, allowHalfOpen: true, noDelay: true });
    connection.database = database;
    database.on('error', () => {});
    // what the client would see: a reset if the database fails, an end if it closes
    database.on('close', (failed) => {
      if (connection.dead) return;
      if (failed) client.resetAndDestroy();
      else if (!client.writableEnded) client.end();
    });
    forward(connection, 'client', client, database);
    forward(connection, 'database', database, client);
  });

  /** Forwards data in its order, after the delay. */
  function forward(connection: Connection, from: Side, source: Socket, sink: Socket): void {
    let buffered = 0;
    let last = Promise.resolve();
    const enqueue = (action: () => void) => {
      const due = performance.now() + proxy.delayMs;
      last = last.then(async () => {
        const left = due - performance.now();
        if (left > 0) await sleep(left);
        if (!connection.dead) action();
      });
    };
    source.on('data', (bytes) => {
      if (connection.dead) return;
      buffered += bytes.length;
      if (buffered > maxBuffered) source.pause();
      enqueue(() => {
        if (cutting.left > 0 && cutting.from === from) {
          cutting.left--;
          sink.write(bytes.subarray(0, Math.floor(bytes.length * cutting.part)), () => {
            connection.client.destroy();
            connection.database?.destroy();
          });
          connection.dead = true;
          return;
        }
        sink.write(bytes, () => {
          buffered -= bytes.length;
          if (buffered <= maxBuffered && !connection.dead) source.resume();
        });
      });
    });
    source.on('end', () => enqueue(() => sink.end()));
  }

  function kill(connection: Connection, swallow: boolean): void {
    connection.dead = true;
    for (const end of [connection.client, connection.database]) {
      if (swallow) end?.resume();
      else end?.pause();
    }
  }

  async function accept(): Promise<void> {
    if (server.listening) return;
    server.listen(proxy.port, host);
    await once(server, 'listening');
  }

  const proxy: FaultyProxy = {
    port: await lastingPort(),
    target,
    delayMs: 0,
    reset() {
      for (const { client, dead } of connections) if (!dead) client.resetAndDestroy();
    },
    end(first) {
      const inOrder = first === 'oldest' ? [...connections] : [...connections].reverse();
      for (const connection of inOrder) {
        if (connection.dead) continue;
        // the database may finish what it has begun, but no answer is forwarded
        connection.dead = true;
        connection.client.resume().end();
        connection.database?.resume().end();
        connection.client.on('end', () => connection.client.destroy());
      }
    },
    blackHole(swallow) {
      hole = { swallow };
      for (const connection of connections) kill(connection, swallow);
    },
    fill() {
      hole = undefined;
    },
    cut(from, count, part = 0.5) {
      cutting = { from, left: count, part };
    },
    refuse() {
      server.close();
      proxy.reset();
    },
    accept,
    close() {
      server.close();
      for (const { client, database } of connections) {
        client.destroy();
        database?.destroy();
      }
    },
  };
  await accept();
  return proxy;
}
