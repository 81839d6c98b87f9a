import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { MongoClient } from 'mongodb';
import { atEnd } from '../../tools/uvu';
import { createApp, type Parts } from '../app';
import type { Config } from '../config';
import { indexKeys } from '../documents/insert';
import { serve } from '../http/server';
import { parts } from '../index';
import type { MongoConfig } from '../mongo/database';
import { type Database, openDatabase } from '../mongo/database';
import { deferred } from '../runtime/deferred';
import { log } from '../runtime/log';

// What the tests share. They run against the database of MONGODB_URI (see tools/with-database.ts),
// in a database of their own there.
process.env.MONGO_DATABASE = `test-${randomUUID()}`;
log.level = 'silent';

if (process.env.MONGODB_URI || process.env.MONGO_HOST) {
  atEnd(() => parts().database().close());
  atEnd(dropDatabases);
}

/** Drops the databases whose names begin like that of this run. */
async function dropDatabases(): Promise<void> {
  const { uri, auth, databaseName } = parts().config.mongo;
  const client = new MongoClient(uri, { ...(auth && { auth, authSource: 'admin' }) });
  try {
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    for (const { name } of databases) {
      if (name.startsWith(databaseName)) await client.db(name).dropDatabase();
    }
  } finally {
    await client.close();
  }
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON came
  json: any;
}

/** Sends one request and reads the whole answer; an answer that is not JSON has no `json`. */
export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const { status, headers, ...response } = await fetch(url, init).then(async (got) => ({
    status: got.status,
    headers: got.headers,
    text: await got.text(),
  }));
  const isJson = headers.get('content-type')?.includes('json') && response.text;
  return { status, headers, ...response, json: isJson ? JSON.parse(response.text) : undefined };
}

/** Posts JSON: a string as it is, anything else stringified. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  return send(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export interface Host {
  url: string;
  close(): Promise<void>;
}

/** The service under its own host, put together as `main.ts` does it, with other settings if need be. */
export async function startOwnHost(
  options: Partial<Config> = {},
  database: Parts['database'] = parts().database,
) {
  const config = { ...parts().config, port: 0, logRequests: false, ...options };
  const lifecycle = { draining: false };
  const { app } = createApp({ config, lifecycle, database });
  const { port, drain } = await serve(app, config, lifecycle);
  return { url: `http://127.0.0.1:${port}`, drain, close: () => drain(0, 0) };
}

/** The service in this process, on a database of its own. */
export async function startService(mongo: Partial<MongoConfig>): Promise<Host> {
  const own = { ...parts().config.mongo, ...mongo };
  const database = openDatabase(own, indexKeys);
  const { url, close } = await startOwnHost({ mongo: own }, () => database);
  return {
    url,
    async close() {
      await close();
      await database.close();
    },
  };
}

/** The function of a name under the Functions Framework. */
export async function startFramework(name: string): Promise<Host> {
  const server: HttpServer = getTestServer(name);
  await once(server.listen(0), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The service as a process of its own, as it runs in the container. */
export interface Process {
  url: string;
  child: ChildProcess;
  /** The lines of its log so far. */
  lines: Record<string, unknown>[];
  exited: Promise<number | string>;
}

const processes = new Set<Process>();

/** Ends what a test that failed has left running. */
export async function killProcesses(): Promise<void> {
  for (const { child, exited } of processes) {
    child.kill('SIGKILL');
    await exited;
  }
  processes.clear();
}

/** Starts what `npm run build` made and waits until it listens. */
export async function startProcess(env: Record<string, string> = {}): Promise<Process> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { ...process.env, PORT: '0', DRAIN_DELAY_MS: '200', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Record<string, unknown>[] = [];
  const exited = once(child, 'close').then(([code, signal]) => code ?? signal);
  const port = await new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(JSON.parse(line));
      if (lines.at(-1)?.msg === 'listening') resolve(lines.at(-1)?.port);
    });
    exited.then((code) => reject(new Error(`the service ended with ${code}`)));
  });
  const service = { url: `http://127.0.0.1:${port}`, child, lines, exited };
  processes.add(service);
  return service;
}

/** Asks until an answer is as it should be, for a minute at most. */
export async function until(ask: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await ask().catch(() => false)); tries++) {
    if (tries === 1200) throw new Error(`never became true: ${ask}`);
    await sleep(50);
  }
}

/** The head of a POST of JSON, for `exchange`. `framing` is the header that tells where its body ends. */
export function postHead(framing: string): string {
  return `POST /data HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`;
}

/** A request without a body, with more header lines. */
export function getText(path: string, ...lines: string[]): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A POST of JSON in ASCII, with more header lines. */
export function postText(body: string, ...lines: string[]): string {
  return `${postHead([`Content-Length: ${body.length}`, ...lines].join('\r\n'))}${body}`;
}

/** The database, which does nothing until it is released. */
export function holdDatabase() {
  const database = parts().database();
  const asked = deferred<void>();
  const released = deferred<void>();
  const held: Database = {
    ...database,
    run(...args) {
      asked.resolve();
      return released.promise.then(() => database.run(...args));
    },
  };
  return { database: () => held, asked: asked.promise, release: released.resolve };
}

/** Sends bytes as they are and reads what comes until the connection ends. */
export async function exchange(url: string, ...chunks: string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.setEncoding('utf8').on('data', (text) => (received += text));
  socket.on('error', () => {}); // the server may have seen enough before all was sent
  const closed = new Promise((resolve) => socket.on('close', resolve));
  for (const chunk of chunks) {
    socket.write(chunk);
    await sleep(20);
  }
  await closed;
  return received;
}

/** An answer as it came. */
export interface RawAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** The answers in what came on a connection, each with a Content-Length or without a body. */
export function parseAnswers(received: string): RawAnswer[] {
  const found: RawAnswer[] = [];
  for (let rest = received; rest; ) {
    const end = rest.indexOf('\r\n\r\n');
    const [status = '', ...lines] = rest.slice(0, end).split('\r\n');
    if (end < 0 || !status.startsWith('HTTP/1.1 ')) return found;
    const headers = new Headers(lines.map((line) => line.split(/: (.*)/, 2) as [string, string]));
    const length = Number(headers.get('content-length') ?? 0);
    if (rest.length < end + 4 + length) return found;
    const body = rest.slice(end + 4, end + 4 + length);
    found.push({ status: Number(status.slice(9, 12)), headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return found;
}

/** A connection that says and reads what a test tells it to. Answers are of ASCII. */
export function converse(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let received = '';
  let failure: NodeJS.ErrnoException | undefined;
  socket.setEncoding('latin1').on('data', (text) => (received += text));
  socket.on('error', (error) => (failure = error));
  // not events.once, which fails when the connection is reset
  const next = (event: string) => new Promise((resolve) => socket.once(event, resolve));
  const ended = next('close').then(() => parseAnswers(received));
  return {
    socket,
    /** All answers, when the connection has ended. */
    ended,
    /** The code of what broke the connection. */
    failure: () => failure?.code,
    received: () => received,
    /** So many answers, 100 included, as soon as they are there. */
    async answers(count: number): Promise<RawAnswer[]> {
      while (parseAnswers(received).length < count) {
        if (socket.destroyed) throw new Error(`ended after ${received.slice(0, 2000)}`);
        await Promise.race([next('data'), ended]);
      }
      return parseAnswers(received);
    },
  };
}
