import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as poll, setTimeout as sleep } from 'node:timers/promises';
import type { Lifecycle } from '../runtime/lifecycle';
import { log } from '../runtime/log';
import { expectsContinue, type HostedRequest } from './body';
import { faultOf, problemOfParser } from './malformed';
import { Problem } from './problem';
import { logRequest } from './request-log';
import { commonHeaders, sendProblem } from './respond';
import type { RequestHandler } from './router';

const holdMs = 100;
const sweepMs = 250;
const silentSweeps = 2;
const lingerMs = 3000;

/** Connections that the kernel keeps until they are accepted; it has a limit of its own, 4096 on Linux. */
const backlog = 4096;

/** A whole request has to arrive within this, in ms, however steadily it comes. */
const requestTimeoutMs = 300_000;

/**
 * Requests of one connection that wait for their answers, which no client needs but one that sends
 * more than it reads. With more the connection is cut, as Node takes them in before it can stop.
 */
const maxPipelined = 64;

interface Connection {
  /** Responses that were not sent when the last request came, in their order. */
  open: ServerResponse[];
  /** Whether a request came on it. */
  used: boolean;
  /** How often it was seen without one while draining. */
  idleSweeps: number;
}

/** Times are in ms. */
export interface ServerOptions {
  /** 0 for any that is free. */
  port: number;
  /**
   * Longer than that of the proxy in front, which otherwise sends a request on a connection that is
   * just being closed here.
   */
  keepAliveTimeoutMs: number;
  /** The longest without progress of a body being received, or of a response being taken. */
  transferTimeoutMs: number;
  /** More are closed as they come. */
  maxConnections: number;
  /** Whether each request is logged. */
  logRequests: boolean;
}

/** A listening server. */
export interface Server {
  port: number;
  /**
   * Stops without losing a request: for `delayMs` every answer closes its connection, while whoever
   * sends requests here learns that it should not; then no connection is accepted, and what is
   * under way gets `timeoutMs` to finish. It takes some two seconds more at most.
   */
  drain(delayMs: number, timeoutMs: number): Promise<void>;
}

/**
 * Serves a handler on `node:http`.
 *
 * @throws {NodeJS.ErrnoException} `EADDRINUSE` and the like
 */
export async function serve(
  handler: RequestHandler,
  { port, keepAliveTimeoutMs, transferTimeoutMs, maxConnections, logRequests }: ServerOptions,
  lifecycle: Lifecycle,
): Promise<Server> {
  let held: Promise<unknown> | undefined;
  const connections = new Map<Duplex, Connection>();

  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    // a proxy may open connections ahead of the requests for them
    headersTimeout: Math.max(60_000, keepAliveTimeoutMs + 5000),
    requestTimeout: Math.max(requestTimeoutMs, keepAliveTimeoutMs + 5000),
    requireHostHeader: false,
  });
  server.maxConnections = maxConnections;
  server.maxHeadersCount = 0; // would drop them without a word
  server.timeout = transferTimeoutMs;
  // whoever has sent all of a request may close that direction, and still gets the answer
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket) => {
    if (connections.has(socket)) return; // again, after an upgrade
    const connection: Connection = { open: [], used: false, idleSweeps: 0 };
    connections.set(socket, connection);
    socket.on('close', () => {
      connections.delete(socket);
      // Node tells the response that has the socket, and not those that wait behind it
      for (const res of connection.open) {
        if (!res.closed && !res.socket) res.destroy().emit('close');
      }
    });
  });

  /** Takes care of a socket of which Node has taken its own listeners off. @returns undoes that */
  function adopt(socket: Duplex): () => void {
    const ignore = () => {};
    const late = () => server.emit('timeout', socket as Socket);
    socket.on('error', ignore).on('timeout', late);
    return () => socket.off('error', ignore).off('timeout', late);
  }

  /** @returns whether the request shall be handled */
  function begin(req: IncomingMessage, res: ServerResponse): boolean {
    const connection = connections.get(req.socket);
    if (!connection || isFlooded(connection)) {
      req.socket.destroy();
      return false;
    }
    const { open } = connection;
    while (open[0]?.closed) open.shift();
    const before = open.at(-1);
    open.push(res);
    connection.used = true;
    if (lifecycle.draining) {
      // the last on a connection closes it, not one with others behind it
      if (before && !before.headersSent) before.shouldKeepAlive = true;
      res.shouldKeepAlive = false;
    }
    if (logRequests) logRequest(req, res);
    if (req.method !== 'GET') res.on('finish', () => discardRest(req, transferTimeoutMs));
    return true;
  }

  function onRequest(req: IncomingMessage, res: ServerResponse): void {
    if (!begin(req, res)) return;
    const fault = faultOf(req);
    if (fault) {
      res.shouldKeepAlive = false;
      sendProblem(res, fault);
    } else if (held) void held.then(() => handler(req, res));
    else void handler(req, res);
  }
  server.on('request', onRequest);
  // the body is asked for by whoever reads it; without that, the client will not send it
  server.on('checkContinue', (req: HostedRequest, res) => {
    req[expectsContinue] = true;
    res.shouldKeepAlive = false;
    onRequest(req, res);
  });
  server.on('checkExpectation', (req, res) => {
    if (!begin(req, res)) return;
    sendProblem(res, new Problem('expectation-failed', 'Expect nothing but 100-continue.'));
  });
  server.on('upgrade', (req, socket, head) => {
    const giveBack = adopt(socket);
    afterWhole(connections.get(socket) ?? { open: [] }, () => {
      if (!socket.writable) return;
      giveBack();
      // as if it had not been asked for (RFC 9110, section 7.8); Node drops what follows otherwise
      socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(req), 'latin1'), head]));
      server.emit('connection', socket);
    });
  });
  server.on('connect', (req, socket) => {
    adopt(socket);
    socket.resume();
    const headers = { Allow: 'GET, POST, HEAD, OPTIONS' };
    const problem = new Problem('method-not-allowed', 'This is no proxy.', { headers });
    answer(socket, problem, connections.get(socket), req);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ECONNRESET') {
      answer(socket, problemOfParser(error), connections.get(socket));
    }
  });
  server.on('timeout', (socket: Socket) => {
    const { used, open } = connections.get(socket) ?? { used: true, open: [] };
    // a new connection has the time for headers; a body that stalls is told so by whoever reads it
    const next = open.find(({ closed }) => !closed);
    if (used && next?.headersSent !== false) socket.destroy();
  });

  /** Closes what waits for nothing, so that it does not hold up the end. */
  function closeUnused(): void {
    server.closeIdleConnections();
    // those on which nothing ever came do not count as idle; what has just come may not be read yet
    for (const [socket, connection] of connections) {
      const isSilent = (socket as Socket).bytesRead === 0;
      if (isSilent && ++connection.idleSweeps > silentSweeps) socket.destroy();
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, backlog }, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    async drain(delayMs, timeoutMs) {
      lifecycle.draining = true;
      for (const { open } of connections.values()) {
        const last = open.at(-1);
        if (last) last.shouldKeepAlive = false;
      }
      await sleep(delayMs);
      // Connections that the kernel has taken and this process has not yet would be reset. While
      // answers are held back for a moment, no client comes back to open one more.
      held = quiet(server);
      await held;
      held = undefined;
      // net's close, as http's would cut connections that have just come and not yet asked
      const closed = new Promise<true>((resolve) => {
        NetServer.prototype.close.call(server, () => resolve(true));
      });
      const sweep = setInterval(() => setImmediate(closeUnused), sweepMs);
      const finished = await Promise.race([closed, sleep(timeoutMs, false, { ref: false })]);
      clearInterval(sweep);
      if (!finished) {
        log.warn(`requests still under way after ${timeoutMs} ms were cut off`);
        server.closeAllConnections();
      }
    },
  };
}

function isFlooded({ open }: Connection): boolean {
  // counted now and then: those that were answered and are not sent yet cost little
  if (open.length === 0 || open.length % maxPipelined !== 0) return false;
  return open.filter(({ writableEnded }) => !writableEnded).length >= maxPipelined;
}

/** Waits until no connection has come for a moment, for two seconds at most. */
async function quiet(server: NetServer): Promise<void> {
  let came = true;
  server.on('connection', () => {
    came = true;
  });
  for (let waited = 0; came && waited < 2000; waited += holdMs) {
    came = false;
    await sleep(holdMs);
    // what came while the process got no CPU is seen after the timer
    await poll();
  }
}

/** A body that is discarded for as long as a client may take for one, in bytes. */
const modestBytes = 4 * 1024 * 1024;

/**
 * Lets a client that was answered early send the rest of its body, for a while, so that it gets to
 * see the answer: a connection that is closed with bytes unread is reset, and the answer may go
 * with it.
 */
function discardRest(req: IncomingMessage, transferTimeoutMs: number): void {
  if (req.complete) return;
  const isModest = Number(req.headers['content-length']) <= modestBytes;
  const cut = setTimeout(() => req.destroy(), isModest ? transferTimeoutMs : lingerMs).unref();
  req.resume().on('close', () => clearTimeout(cut));
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'upgrade') {
      head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
    }
  }
  return `${head}\r\n`;
}

/** Waits for the answers to the whole requests that came on a connection, which go first. */
function afterWhole({ open }: Pick<Connection, 'open'>, then: () => void): void {
  const last = open.filter(({ req, closed }) => req.complete && !closed).at(-1);
  if (last) last.once('close', then);
  else then();
}

/** Answers on a connection for which Node has no response, and ends it. */
function answer(
  socket: Duplex,
  problem: Problem,
  connection: Connection | undefined,
  req: Pick<IncomingMessage, 'headers'> = { headers: {} },
): void {
  const { open } = connection ?? { open: [] };
  afterWhole({ open }, () => {
    const isAnswered = open.some(({ headersSent, closed }) => headersSent && !closed);
    if (!socket.writable) return;
    if (isAnswered) return void socket.end();
    const body = JSON.stringify(problem);
    let head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n`;
    const headers = [
      ...commonHeaders(req),
      ...['Connection', 'close', 'Content-Type', 'application/problem+json'],
      ...['Content-Length', Buffer.byteLength(body)],
      ...Object.entries(problem.more.headers ?? {}).flat(),
    ];
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    socket.end(`${head}\r\n${body}`, () => {
      setTimeout(() => socket.destroy(), lingerMs).unref();
    });
  });
}
