import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { host } from '../../tools/network/ports';
import { misbehave, repeat, type Target } from './clients';
import { type Connection, get, lastChunk, open, post, postHead, postInChunks } from './connection';
import { json, type Kind } from './documents';
import type { Documents } from './fake-database';

/** Requests of which each is allowed, or clients of which each could be a slow one. */
export interface Load {
  name: string;
  database?: Partial<Documents>;
  run(target: Target): Promise<void>;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** Pages that differ, so that nobody shares one. */
const distinct = (n: number) => get(`/data?limit=${200 - (n % 200)}`);
const shared = get('/data?limit=200');
const byId = () => get(`/data/${randomUUID()}`);

function posts(kind: Kind, bytes: number, requests: number, clients: number): Load {
  const name = `${requests} posts of ${size(bytes)} of ${kind}, ${clients} clients`;
  return {
    name,
    run: (target) => repeat(target, { clients, requests }, always(post(json(kind, bytes)))),
  };
}

function pages(kind: Kind, bytes: number, requests: number, clients: number): Load {
  return {
    name: `${requests} pages of ${size(bytes)} documents of ${kind}, ${clients} clients`,
    database: { kind, bytes },
    run: (target) => repeat(target, { clients, requests }, distinct),
  };
}

function singles(kind: Kind, requests: number, clients: number): Load {
  return {
    name: `${requests} × GET /data/{id}, 1 MiB of ${kind}, ${clients} clients`,
    database: { kind, bytes: MiB },
    run: (target) => repeat(target, { clients, requests }, byId),
  };
}

const large = { kind: 'rows', bytes: 42 * KiB } as const;
const body = json('rows', MiB);

export const loads: Load[] = [
  // documents that are large once they are parsed
  posts('objects', MiB, 60, 20),
  posts('arrays', MiB, 60, 20),
  posts('nested', MiB, 60, 20),
  posts('names', MiB, 128, 64),
  posts('points', MiB, 256, 128),
  posts('rows', MiB, 256, 128),
  posts('ints', MiB, 256, 128),
  posts('powers', MiB, 256, 128),
  posts('string', MiB, 512, 128),
  posts('wide', MiB, 512, 128),
  posts('escapes', MiB, 512, 128),
  posts('rows', 200_000, 1000, 1000),
  posts('objects', 16 * KiB, 2000, 500),
  posts('rows', KiB, 6000, 3000),
  {
    name: '256 posts of 1 MiB that are not JSON at the end, 64 clients',
    run: (target) => {
      const broken = Buffer.concat([body.subarray(0, -1), Buffer.from(']')]);
      return repeat(target, { clients: 64, requests: 256 }, always(post(broken)));
    },
  },
  {
    name: '128 posts of 1 MiB in chunks of 16 KiB, 64 clients',
    run: (target) =>
      repeat(target, { clients: 64, requests: 128 }, always(postInChunks(body, 16 * KiB))),
  },
  {
    name: '100 posts of 64 KiB in chunks of 1 byte, 50 clients',
    run: (target) =>
      repeat(
        target,
        { clients: 50, requests: 100 },
        always(postInChunks(json('rows', 64 * KiB), 1)),
      ),
  },
  {
    name: '40 posts of 5 KB in chunks of 1 byte, each with an extension of 4 KiB, 20 clients',
    run: (target) => {
      const bytes = postInChunks(json('rows', 5000), 1, `;${'x'.repeat(4 * KiB)}`);
      return repeat(target, { clients: 20, requests: 40 }, always(bytes));
    },
  },
  {
    name: '50 posts of 2 KiB in segments of 1 byte',
    run: (target) => {
      const bytes = post(json('rows', 2 * KiB));
      return misbehave(target, { clients: 50, ms: 30_000 }, async (connection) => {
        for (let at = 0; at < bytes.length - 1; at++) {
          connection.socket.write(bytes.subarray(at, at + 1));
          await turn();
        }
        return connection.ask(bytes.subarray(-1));
      });
    },
  },

  // documents that are read
  pages('rows', MiB, 60, 20),
  pages('rows', MiB, 150, 50),
  pages('objects', MiB, 60, 20),
  pages('points', MiB, 60, 20),
  pages('ints', MiB, 60, 20),
  pages('names', MiB, 60, 20),
  pages('string', MiB, 60, 20),
  pages('objects', MiB, 100, 50),
  pages('powers', MiB, 100, 50),
  pages('rows', 42_000, 256, 64),
  pages('objects', 200, 2000, 500),
  singles('ints', 200, 50),
  singles('objects', 100, 50),
  singles('string', 1000, 200),
  {
    name: '240 times the same page of 8 MiB, 60 clients',
    database: large,
    run: (target) => repeat(target, { clients: 60, requests: 240 }, always(shared)),
  },
  {
    name: '256 × HEAD of pages of 1 MiB documents, 64 clients',
    database: { kind: 'rows', bytes: MiB },
    run: (target) =>
      repeat(
        target,
        { clients: 64, requests: 256 },
        (n) => get(`/data?limit=${200 - (n % 200)}`, 'HEAD'),
        true,
      ),
  },

  // readers that do not take what they asked for
  stalled('70 readers of one page of 8 MiB that take nothing', 70, 0, always(shared)),
  stalled('70 readers of different pages of 8 MiB that take nothing', 70, 0, (n) =>
    get(`/data?limit=${200 - (n % 8)}`),
  ),
  stalled('300 readers of different pages that stop after the head', 300, 300, distinct),
  stalled('100 readers that take 1 byte a second', 100, 1, distinct, 1000),
  {
    name: '500 clients that ask for different pages and leave',
    database: large,
    run: (target) => leave(target, 500, distinct),
  },

  // uploads that do not end
  {
    name: '520 posts of 1 MiB that lack one byte',
    run: (target) => uploads(target, 520, () => post(body).subarray(0, -1)),
  },
  {
    name: '1,000 posts of 1 MiB that stop anywhere',
    run: (target) =>
      uploads(target, 1000, (n) => {
        const bytes = post(body);
        return bytes.subarray(0, (bytes.length * (n + 1)) / 1001);
      }),
  },
  {
    name: '400 posts of 1 MiB in chunks that never end',
    run: (target) =>
      uploads(target, 400, () => postInChunks(body, 64 * KiB).subarray(0, -lastChunk.length)),
  },
  {
    name: '1,500 posts of 64 KiB that lack one byte',
    run: (target) => uploads(target, 1500, () => post(json('rows', 64 * KiB)).subarray(0, -1)),
  },
  {
    name: '300 posts of 1 MiB that send 1 byte a second',
    run: (target) =>
      misbehave(target, { clients: 300 }, async (connection) => {
        const bytes = post(body);
        const half = bytes.length / 2;
        const answer = connection.ask(bytes.subarray(0, half));
        for (let at = half; connection.isUsable(); at++) {
          connection.socket.write(bytes.subarray(at, at + 1));
          await Promise.race([answer, sleep(1000)]);
        }
        return answer;
      }),
  },
  {
    name: '1,000 posts of 1 MiB that wait for 100 Continue and then send nothing',
    run: (target) => uploads(target, 1000, () => postHead(MiB, 'Expect: 100-continue\r\n')),
  },
  {
    name: '50 posts in chunks of 20 MiB in all',
    run: (target) => {
      const bytes = postInChunks(json('string', 20 * MiB), 64 * KiB);
      return misbehave(target, { clients: 50 }, (connection) => connection.ask(bytes));
    },
  },
  {
    name: '500 clients that post 1 MiB of points and leave',
    run: (target) => leave(target, 500, always(post(json('points', MiB)))),
  },

  // connections
  {
    name: '5,000 connections on which nothing comes',
    run: (target) => misbehave(target, { clients: 5000 }, nothing),
  },
  {
    name: '5,000 connections that asked for the time once',
    run: (target) =>
      misbehave(target, { clients: 5000 }, async (connection) => {
        await connection.ask(get('/time'));
        await nothing(connection);
      }),
  },
  {
    name: '1,500 connections with half a head of 15 KiB',
    run: (target) =>
      uploads(target, 1500, () => `GET /time HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15 * KiB)}`),
  },
  {
    name: '2,000 requests with a head of 15 KiB, 500 clients',
    run: (target) =>
      repeat(
        target,
        { clients: 500, requests: 2000 },
        always(`GET /time HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15 * KiB)}\r\n\r\n`),
      ),
  },
  pipelined('5,000 × GET /time', 1, () => get('/time').repeat(5000)),
  pipelined('5,000 × GET /data/{id} of 42 KiB', 1, () =>
    Array.from({ length: 5000 }, byId).join(''),
  ),
  pipelined('200 × GET /data/{id} of 42 KiB', 50, () => Array.from({ length: 200 }, byId).join('')),
  pipelined('50 × GET /data?limit=200', 1, () => shared.repeat(50)),
  pipelined('200 different pages', 10, () =>
    Array.from({ length: 200 }, (_, n) => distinct(n)).join(''),
  ),
  pipelined('200 posts of 64 KiB', 10, () =>
    Buffer.concat(Array(200).fill(post(json('objects', 64 * KiB)))),
  ),

  // everything at once
  {
    name: '200 posts of 1 MiB of points and 200 different pages, 50 clients each',
    database: large,
    run: async (target) => {
      const bytes = post(json('points', MiB));
      await Promise.all([
        repeat(target, { clients: 50, requests: 200 }, always(bytes)),
        repeat(target, { clients: 50, requests: 200 }, distinct),
      ]);
    },
  },
  {
    name: '500 posts of 100 KB at once, the database takes 2 s',
    database: { delayMs: 2000 },
    run: posts('rows', 100_000, 500, 500).run,
  },
  {
    name: '500 posts of 100 KB of objects at once, the database stands still for 8 s',
    run: (target) => whileFrozen(target, posts('objects', 100_000, 1000, 500).run),
  },
  {
    name: '300 different pages, 100 clients, the database stands still for 8 s',
    database: large,
    run: (target) => whileFrozen(target, pages('rows', 42_000, 300, 100).run),
  },
];

function always<T>(value: T): () => T {
  return () => value;
}

function size(bytes: number): string {
  if (bytes === MiB) return '1 MiB';
  if (bytes < 1000) return `${bytes} B`;
  return bytes % KiB === 0 ? `${bytes / KiB} KiB` : `${bytes / 1000} KB`;
}

/** Stays connected. */
function nothing({ socket }: Connection): Promise<unknown> {
  return new Promise((_, reject) => socket.on('close', reject));
}

function uploads(target: Target, clients: number, bytes: (n: number) => Buffer | string) {
  return misbehave(target, { clients }, (connection, n) => connection.ask(bytes(n)));
}

async function leave(target: Target, clients: number, bytes: (n: number) => Buffer | string) {
  for (let n = 0; n < clients && !target.signal.aborted; n++) {
    const { socket } = open(target.port);
    socket.write(bytes(n), () => socket.destroy());
    if (n % 50 === 49) await sleep(100);
  }
  await sleep(3000);
}

/** @param take bytes that are taken of an answer, each time; `everyMs` apart if that is given */
function stalled(
  name: string,
  clients: number,
  take: number,
  bytes: (n: number) => string,
  everyMs?: number,
): Load {
  return {
    name,
    database: large,
    run: (target) =>
      misbehave(
        target,
        { clients },
        async (connection, n) => {
          connection.socket.write(bytes(n));
          if (!everyMs) return nothing(connection);
          for (; !connection.socket.destroyed; await sleep(everyMs)) connection.socket.resume();
          throw new Error('cut');
        },
        (port) => lazy(port, take),
      ),
  };
}

/** Requests sent one behind another on each of some connections, of which no answer is taken. */
function pipelined(name: string, clients: number, bytes: () => Buffer | string): Load {
  return {
    name: `${name} on each of ${clients} connections, one behind another, no answer taken`,
    database: large,
    run: (target) =>
      misbehave(
        target,
        { clients },
        (connection) => {
          connection.socket.write(bytes());
          return nothing(connection);
        },
        (port) => lazy(port, 0),
      ),
  };
}

/** A connection that takes `bytes` bytes whenever it is resumed, and else none. */
function lazy(port: number, bytes: number): Connection {
  const onread = { buffer: Buffer.alloc(bytes || 1), callback: () => false };
  const socket = connect({ port, host, noDelay: true, onread });
  if (bytes === 0) socket.pause();
  socket.on('error', () => {});
  const ask = () => Promise.reject(new Error('it reads no answer'));
  return { socket, isUsable: () => !socket.destroyed, ask };
}

async function whileFrozen(target: Target, run: Load['run']): Promise<void> {
  target.freeze();
  const thawed = sleep(8000).then(target.thaw);
  await run(target);
  await thawed;
}
