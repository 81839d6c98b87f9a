import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { MongoClient } from 'mongodb';
import { atEnd, limitTests } from '../../tools/uvu';
import { createApp, type Parts } from '../app';
import type { Config } from '../config';
import { serve } from '../http/server';
import { parts } from '../index';
import type { Database, MongoConfig } from '../mongo/database';
import { createParts } from '../parts';
import { deferred } from '../runtime/deferred';
import { log } from '../runtime/log';

// Shared by the tests. They use the server at MONGODB_URI (see tools/with-database.ts), where they
// create and drop a database of their own.
process.env.MONGO_DATABASE = `test-${randomUUID()}`;
limitTests(600_000);

if (process.env.MONGODB_URI || process.env.MONGO_HOST) {
  parts(); // sets the level of the log, once
  atEnd(() => parts().database().close());
  atEnd(dropDatabases);
}
log.level = 'silent';

/** Drops the databases of this run. */
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

export interface HttpResponse {
  /** The method and the path of the request. */
  method: string;
  path: string;
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  json: any;
}

/** Sends one request and reads the whole response. `json` is undefined if that is not JSON. */
export async function send(url: string, init: RequestInit = {}): Promise<HttpResponse> {
  const response = await fetch(url, init);
  const { status, headers } = response;
  const text = await response.text();
  return toHttpResponse(init.method ?? 'GET', url, { status, headers, body: text });
}

function toHttpResponse(method: string, url: string, { status, headers, body }: RawResponse) {
  const isJson = headers.get('content-type')?.includes('json') && body;
  const json = isJson ? JSON.parse(body) : undefined;
  return { method, path: new URL(url).pathname, status, headers, text: body, json };
}

/** Sends a request as text, on a connection of its own. @param ends whether the client then closes its side */
export async function sendText(url: string, text: string, ends = false): Promise<HttpResponse> {
  const { socket, responses } = openConnection(url);
  socket.allowHalfOpen = true;
  socket.write(text);
  if (ends) socket.end();
  const [response] = await responses(1);
  socket.destroy();
  const [method = '', path] = text.split(' ', 2);
  return toHttpResponse(method, `${url}${path}`, response as RawResponse);
}

/** Posts JSON: a string as it is, any other value stringified. */
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

/** Starts the service on its own host, as `main.ts` does, with some settings replaced. */
export async function startOwnHost(
  options: Partial<Config> = {},
  database: Parts['database'] = parts().database,
) {
  const config = { ...parts().config, port: 0, logRequests: false, ...options };
  const own = { ...createParts(config), database };
  const { port, drain } = await serve(createApp(own), config, own.lifecycle);
  return { url: `http://127.0.0.1:${port}`, drain, close: () => drain(0, 0) };
}

/** Starts the service on its own host with a MongoDB client of its own. */
export async function startService(mongo: Partial<MongoConfig>): Promise<Host> {
  const { config } = parts();
  const own = { mongo: { ...config.mongo, ...mongo } };
  const { database } = createParts({ ...config, ...own });
  const { url, close } = await startOwnHost(own, database);
  return {
    url,
    async close() {
      await close();
      await database().close();
    },
  };
}

/** Starts a function under the Functions Framework. */
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

/** The service in a process of its own, as in the container. */
export interface Process {
  url: string;
  child: ChildProcess;
  /** Its log so far. */
  lines: Record<string, unknown>[];
  exited: Promise<number | string>;
}

const processes = new Set<Process>();

/** Kills the processes that a failed test has left running. */
export async function killProcesses(): Promise<void> {
  for (const { child, exited } of processes) {
    child.kill('SIGKILL');
    await exited;
  }
  processes.clear();
}

/** Starts the result of `npm run build`, and waits until it listens. */
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

/** Polls a condition until it is true, for about a minute. An error counts as false. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition().catch(() => false)); tries++) {
    if (tries === 1200) throw new Error(`never became true: ${condition}`);
    await sleep(50);
  }
}

/** The head of a POST of JSON. @param framing the Content-Length or Transfer-Encoding header */
export function rawPostHead(framing: string): string {
  return `POST /data HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`;
}

/** The text of a GET, with additional header lines. */
export function rawGet(path: string, ...lines: string[]): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** The text of a POST of ASCII JSON, with additional header lines. */
export function rawPost(body: string, ...lines: string[]): string {
  return `${rawPostHead([`Content-Length: ${body.length}`, ...lines].join('\r\n'))}${body}`;
}

/** The database, but its operations wait for `release`. `called` resolves with the first one. */
export function holdDatabase() {
  const database = parts().database();
  const called = deferred<void>();
  const released = deferred<void>();
  const held: Database = {
    ...database,
    run(...args) {
      called.resolve();
      return released.promise.then(() => database.run(...args));
    },
  };
  return { database: () => held, called: called.promise, release: released.resolve };
}

/** Sends text on a new connection, and reads until the connection ends. */
export async function sendRaw(url: string, ...chunks: string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.setEncoding('utf8').on('data', (text) => (received += text));
  socket.on('error', () => {}); // the server may close it before everything is sent
  const closed = new Promise((resolve) => socket.on('close', resolve));
  for (const chunk of chunks) {
    socket.write(chunk);
    await sleep(20);
  }
  await closed;
  return received;
}

/** A response as it was received. */
export interface RawResponse {
  status: number;
  headers: Headers;
  body: string;
}

/** The responses received on a connection. Each has a Content-Length or no body. */
export function parseResponses(received: string): RawResponse[] {
  const found: RawResponse[] = [];
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

/** Opens a connection on which a test writes raw requests. Responses have to be ASCII. */
export function openConnection(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let received = '';
  let failure: NodeJS.ErrnoException | undefined;
  socket.setEncoding('latin1').on('data', (text) => (received += text));
  socket.on('error', (error) => (failure = error));
  // not events.once, which fails when the connection is reset
  const next = (event: string) => new Promise((resolve) => socket.once(event, resolve));
  const ended = next('close').then(() => parseResponses(received));
  return {
    socket,
    /** Resolves with all responses when the connection has ended. */
    ended,
    /** The error code of the connection, if it failed. */
    failure: () => failure?.code,
    received: () => received,
    /** Resolves with the responses as soon as there are so many, 100 Continue included. */
    async responses(count: number): Promise<RawResponse[]> {
      while (parseResponses(received).length < count) {
        if (socket.destroyed) throw new Error(`connection ended after ${received.slice(0, 2000)}`);
        await Promise.race([next('data'), ended]);
      }
      return parseResponses(received);
    },
  };
}
