import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { host } from '../../tools/network/ports';
import {
  get,
  type HttpConnection,
  lastChunk,
  openConnection,
  post,
  postHead,
  postInChunks,
} from '../common/http-connection';
import {
  type NthRequest,
  runClients,
  runMisbehavingClients,
  type ServiceUnderTest,
} from './client-behavior';
import type { FakeContent } from './fake-mongodb';
import { jsonOf, type Kind } from './test-documents';

/** A load that the service must survive: valid requests, or clients that may just be slow. */
export interface Scenario {
  name: string;
  database?: Partial<FakeContent>;
  run(service: ServiceUnderTest): Promise<void>;
}

const KiB = 1024;
const MiB = 1024 * KiB;

const pagesOf8MiB = { kind: 'rows', bytes: 42 * KiB } as const;
const oneMiB = jsonOf('rows', MiB);
const headOf15KiB = `GET /time HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15 * KiB)}`;

const samePage = get('/data?limit=200');
/** Pages that differ, so that requests can't share a query. */
const differentPages = (n: number, method = 'GET') => get(`/data?limit=${200 - (n % 200)}`, method);
const randomId = () => get(`/data/${randomUUID()}`);

export const scenarios: Scenario[] = [
  // documents that are large once parsed
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
  requests('256 posts of 1 MiB of malformed JSON', 256, 64, () => {
    const malformed = Buffer.concat([oneMiB.subarray(0, -1), Buffer.from(']')]);
    return always(post(malformed));
  }),
  requests('128 posts of 1 MiB in chunks of 16 KiB', 128, 64, () =>
    always(postInChunks(oneMiB, 16 * KiB)),
  ),
  requests('100 posts of 64 KiB in chunks of 1 byte', 100, 50, () =>
    always(postInChunks(jsonOf('rows', 64 * KiB), 1)),
  ),
  requests('40 posts of 5 KB in chunks of 1 byte with extensions of 4 KiB', 40, 20, () =>
    always(postInChunks(jsonOf('rows', 5000), 1, `;${'x'.repeat(4 * KiB)}`)),
  ),
  {
    name: '50 posts of 2 KiB in TCP segments of 1 byte',
    run: (service) => {
      const bytes = post(jsonOf('rows', 2 * KiB));
      return runMisbehavingClients(service, { clients: 50, ms: 30_000 }, async (connection) => {
        for (let at = 0; at < bytes.length - 1; at++) {
          connection.socket.write(bytes.subarray(at, at + 1));
          await nextTurn();
        }
        return connection.request(bytes.subarray(-1));
      });
    },
  },

  // large responses
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
  readsById('ints', 200, 50),
  readsById('objects', 100, 50),
  readsById('string', 1000, 200),
  requests('240 reads of the same page of 8 MiB', 240, 60, () => always(samePage), {
    database: pagesOf8MiB,
  }),
  requests(
    '256 × HEAD of pages of 1 MiB documents',
    256,
    64,
    () => (n) => differentPages(n, 'HEAD'),
    { database: { kind: 'rows', bytes: MiB }, isHead: true },
  ),

  // clients that don't read their responses
  unread('70 readers of the same page of 8 MiB that read nothing', 70, always(samePage)),
  unread('70 readers of different pages of 8 MiB that read nothing', 70, (n) =>
    differentPages(n % 8),
  ),
  unread('300 readers of different pages that stop after 300 bytes', 300, differentPages, 300),
  unread('100 readers that read 1 byte per second', 100, differentPages, 1, 1000),
  {
    name: '500 clients that request different pages and disconnect',
    database: pagesOf8MiB,
    run: (service) => sendAndDisconnect(service, 500, differentPages),
  },

  // uploads that don't end
  incomplete('520 posts of 1 MiB that lack the last byte', 520, () => post(oneMiB).subarray(0, -1)),
  incomplete('1,000 posts of 1 MiB that stop anywhere', 1000, (n) => {
    const bytes = post(oneMiB);
    return bytes.subarray(0, (bytes.length * (n + 1)) / 1001);
  }),
  incomplete('400 chunked posts of 1 MiB that lack the last chunk', 400, () =>
    postInChunks(oneMiB, 64 * KiB).subarray(0, -lastChunk.length),
  ),
  incomplete('1,500 posts of 64 KiB that lack the last byte', 1500, () =>
    post(jsonOf('rows', 64 * KiB)).subarray(0, -1),
  ),
  {
    name: '300 posts of 1 MiB that send 1 byte per second',
    run: (service) =>
      runMisbehavingClients(service, { clients: 300 }, async (connection) => {
        const bytes = post(oneMiB);
        const half = bytes.length / 2;
        const response = connection.request(bytes.subarray(0, half));
        const answered = response.then(
          () => true,
          () => true,
        );
        for (let at = half; !(await Promise.race([answered, sleep(1000, false)])); at++) {
          connection.socket.write(bytes.subarray(at, at + 1));
        }
        return response;
      }),
  },
  incomplete('1,000 posts of 1 MiB that send nothing after 100 Continue', 1000, () =>
    postHead(MiB, 'Expect: 100-continue\r\n'),
  ),
  {
    name: '50 chunked posts of 20 MiB',
    run: (service) => {
      const bytes = postInChunks(jsonOf('string', 20 * MiB), 64 * KiB);
      return runMisbehavingClients(service, { clients: 50 }, (connection) =>
        connection.request(bytes),
      );
    },
  },
  {
    name: '500 clients that post 1 MiB of points and disconnect',
    run: (service) => sendAndDisconnect(service, 500, always(post(jsonOf('points', MiB)))),
  },

  // many connections
  {
    name: '5,000 connections that send nothing',
    run: (service) => runMisbehavingClients(service, { clients: 5000 }, untilClosed),
  },
  {
    name: '5,000 connections idle after one GET /time',
    run: (service) =>
      runMisbehavingClients(service, { clients: 5000 }, async (connection) => {
        await connection.request(get('/time'));
        await untilClosed(connection);
      }),
  },
  incomplete('1,500 connections with an incomplete head of 15 KiB', 1500, always(headOf15KiB)),
  requests('2,000 × GET /time with a head of 15 KiB', 2000, 500, () =>
    always(`${headOf15KiB}\r\n\r\n`),
  ),
  pipelined('5,000 × GET /time', 1, () => get('/time').repeat(5000)),
  pipelined('5,000 × GET /data/{id} of 42 KiB', 1, () =>
    Array.from({ length: 5000 }, randomId).join(''),
  ),
  pipelined('200 × GET /data/{id} of 42 KiB', 50, () =>
    Array.from({ length: 200 }, randomId).join(''),
  ),
  pipelined('50 × GET /data?limit=200', 1, () => samePage.repeat(50)),
  pipelined('200 different pages', 10, () =>
    Array.from({ length: 200 }, (_, n) => differentPages(n)).join(''),
  ),
  pipelined('200 posts of 64 KiB', 10, () =>
    Buffer.concat(Array(200).fill(post(jsonOf('objects', 64 * KiB)))),
  ),

  // combinations, and a slow or frozen database
  {
    name: '200 posts of 1 MiB of points and 200 different pages, 50 clients each',
    database: pagesOf8MiB,
    run: async (service) => {
      const bytes = post(jsonOf('points', MiB));
      await Promise.all([
        runClients(service, { clients: 50, requests: 200 }, always(bytes)),
        runClients(service, { clients: 50, requests: 200 }, differentPages),
      ]);
    },
  },
  {
    ...posts('rows', 100_000, 500, 500),
    name: '500 concurrent posts of 100 KB, each insert takes 2 s',
    database: { delayMs: 2000 },
  },
  whileFrozen(
    '500 concurrent posts of 100 KB of objects, the database is frozen for 8 s',
    posts('objects', 100_000, 1000, 500),
  ),
  whileFrozen('300 different pages, 100 clients, the database is frozen for 8 s', {
    ...pages('rows', 42_000, 300, 100),
    database: pagesOf8MiB,
  }),
];

/**
 * Well-behaved clients.
 *
 * @param makeRequest makes the requests when the scenario begins, as large ones take memory
 */
function requests(
  name: string,
  count: number,
  clients: number,
  makeRequest: () => NthRequest,
  { database, isHead }: { database?: Partial<FakeContent>; isHead?: boolean } = {},
): Scenario {
  return {
    name: `${name}, ${clients} clients`,
    ...(database && { database }),
    run: (service) => runClients(service, { clients, requests: count }, makeRequest(), isHead),
  };
}

function posts(kind: Kind, bytes: number, count: number, clients: number): Scenario {
  const name = `${count} posts of ${formatSize(bytes)} of ${kind}`;
  return requests(name, count, clients, () => always(post(jsonOf(kind, bytes))));
}

function pages(kind: Kind, bytes: number, count: number, clients: number): Scenario {
  const name = `${count} pages of ${formatSize(bytes)} documents of ${kind}`;
  return requests(name, count, clients, () => differentPages, { database: { kind, bytes } });
}

function readsById(kind: Kind, count: number, clients: number): Scenario {
  const name = `${count} × GET /data/{id}, 1 MiB of ${kind}`;
  return requests(name, count, clients, () => randomId, { database: { kind, bytes: MiB } });
}

/** Clients that send part of a request and wait for a response. */
function incomplete(name: string, clients: number, bytes: NthRequest): Scenario {
  return {
    name,
    run: (service) =>
      runMisbehavingClients(service, { clients }, (connection, n) => connection.request(bytes(n))),
  };
}

/**
 * Clients that send a request and read little or nothing of the response.
 *
 * @param readBytes how much they read
 * @param everyMs after which they read as much again; once only when undefined
 */
function unread(
  name: string,
  clients: number,
  bytes: NthRequest,
  readBytes = 0,
  everyMs?: number,
): Scenario {
  return {
    name,
    database: pagesOf8MiB,
    run: (service) =>
      runMisbehavingClients(
        service,
        { clients },
        async (connection, n) => {
          connection.socket.write(bytes(n));
          if (!everyMs) return untilClosed(connection);
          for (; !connection.socket.destroyed; await sleep(everyMs)) connection.socket.resume();
          throw new Error('closed by the service');
        },
        (port) => openSlowReader(port, readBytes),
      ),
  };
}

/** Clients that send many requests at once on one connection and read no response. */
function pipelined(name: string, clients: number, makeBytes: () => Buffer | string): Scenario {
  const title = `${name}, pipelined on each of ${clients} connections, responses not read`;
  return unread(title, clients, makeBytes);
}

async function sendAndDisconnect(service: ServiceUnderTest, clients: number, bytes: NthRequest) {
  for (let n = 0; n < clients && !service.signal.aborted; n++) {
    const { socket } = openConnection(service.port);
    socket.write(bytes(n), () => socket.destroy());
    if (n % 50 === 49) await sleep(100);
  }
  await sleep(3000);
}

function whileFrozen(name: string, { run, ...scenario }: Scenario): Scenario {
  return {
    ...scenario,
    name,
    async run(service) {
      service.freezeDatabase();
      const unfrozen = sleep(8000).then(service.unfreezeDatabase);
      await run(service);
      await unfrozen;
    },
  };
}

/** @param bytes how much it reads each time it is resumed; with 0 it never reads */
function openSlowReader(port: number, bytes: number): HttpConnection {
  const onread = { buffer: Buffer.alloc(bytes || 1), callback: () => false };
  const socket = connect({ port, host, noDelay: true, onread });
  if (bytes === 0) socket.pause();
  socket.on('error', () => {});
  const request = () => Promise.reject(new Error('it reads no responses'));
  return { socket, isUsable: () => !socket.destroyed, request };
}

/** Stays connected until the service closes the connection, then rejects. */
function untilClosed({ socket }: HttpConnection): Promise<unknown> {
  return new Promise((_, reject) => socket.on('close', reject));
}

function always<T>(value: T): () => T {
  return () => value;
}

function formatSize(bytes: number): string {
  if (bytes === MiB) return '1 MiB';
  if (bytes < 1000) return `${bytes} B`;
  return bytes % KiB === 0 ? `${bytes / KiB} KiB` : `${bytes / 1000} KB`;
}
