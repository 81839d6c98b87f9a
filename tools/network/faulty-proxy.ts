import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastingPort } from './ports';

export type Side = 'client' | 'database';

/** A TCP proxy in front of a database, on a port that stays, with faults on demand. */
export interface FaultyProxy {
  port: number;
  /** Where new connections lead. */
  target: number;
  /** By how many ms bytes come later, both ways. */
  delayMs: number;
  /** Resets all connections, but for those that carry nothing any more. */
  reset(): void;
  /** Ends the same as a server does that closes them: by a FIN each, in this order. */
  end(first: 'oldest' | 'newest'): void;
  /**
   * From now on no connection carries anything. Those that there are and those that come until
   * `fill` are never well again.
   *
   * @param swallow whether bytes are taken and dropped; else they are not taken
   */
  blackHole(swallow: boolean): void;
  /** New connections are well again. */
  fill(): void;
  /**
   * Cuts the next so many messages that come from one side: a part goes on, then both ends of the
   * connection are closed. 0 ends that.
   *
   * @param part from 0 up to 1
   */
  cut(from: Side, count: number, part?: number): void;
  /** Resets all connections and takes none until `accept`. */
  refuse(): void;
  accept(): Promise<void>;
  close(): void;
}

interface Connection {
  client: Socket;
  database: Socket | undefined;
  dead: boolean;
}

const host = '127.0.0.1';
const most = 1024 * 1024;

/** @param target the database's port on 127.0.0.1 */
export async function startProxy(target: number): Promise<FaultyProxy> {
  const connections = new Set<Connection>();
  let hole: { swallow: boolean } | undefined;
  let knife = { from: 'client' as Side, left: 0, part: 0.5 };

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
    // as the client would see it: a database that is gone resets, one that closes ends
    database.on('close', (failed) => {
      if (connection.dead) return;
      if (failed) client.resetAndDestroy();
      else if (!client.writableEnded) client.end();
    });
    carry(connection, 'client', client, database);
    carry(connection, 'database', database, client);
  });

  /** Takes what comes from one end to the other, later if so wished, in its order. */
  function carry(connection: Connection, from: Side, source: Socket, sink: Socket): void {
    let waiting = 0;
    let last = Promise.resolve();
    const inTurn = (action: () => void) => {
      const due = performance.now() + proxy.delayMs;
      last = last.then(async () => {
        const left = due - performance.now();
        if (left > 0) await sleep(left);
        if (!connection.dead) action();
      });
    };
    source.on('data', (bytes) => {
      if (connection.dead) return;
      waiting += bytes.length;
      if (waiting > most) source.pause();
      inTurn(() => {
        if (knife.left > 0 && knife.from === from) {
          knife.left--;
          sink.write(bytes.subarray(0, Math.floor(bytes.length * knife.part)), () => {
            connection.client.destroy();
            connection.database?.destroy();
          });
          connection.dead = true;
          return;
        }
        sink.write(bytes, () => {
          waiting -= bytes.length;
          if (waiting <= most && !connection.dead) source.resume();
        });
      });
    });
    source.on('end', () => inTurn(() => sink.end()));
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
        // what the database has begun it may finish; nobody hears of it
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
      knife = { from, left: count, part };
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
