import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep, setImmediate as untilPolled } from 'node:timers/promises';
import type { Lifecycle } from '../runtime/lifecycle';
import { log } from '../runtime/log';
import { expectsContinue, type HostedRequest } from './body';
import {
  afterResponses,
  type Connection,
  discardRest,
  headWithoutUpgrade,
  isFlooded,
  sendOnSocket,
} from './connection';
import { fairQueue } from './fair-queue';
import { listen } from './listeners';
import { checkHead, toParserProblem } from './malformed';
import { Problem } from './problem';
import { logRequest } from './request-log';
import { sendProblem } from './respond';
import type { RequestHandler } from './router';

/** While draining, the server stops accepting connections once none has come for `quietMs`. */
const quietMs = 100;
const maxQuietWaitMs = 2000;

/** While draining, unused connections are closed after this many sweeps. */
const sweepIntervalMs = 250;
const maxUnusedSweeps = 2;

/** How long a whole request may take to arrive, in ms, however steadily it does. */
const requestTimeoutMs = 300_000;

/** Times are in ms. */
export interface ServerOptions {
  /** 0 for any free port. */
  port: number;
  /**
   * Longer than that of the proxy in front, which might otherwise send a request on a connection
   * that is being closed here.
   */
  keepAliveTimeoutMs: number;
  /** How long a request or response body may make no progress. */
  transferTimeoutMs: number;
  /** Further connections are closed at once. */
  maxConnections: number;
  logRequests: boolean;
}

/** A listening server. */
export interface Server {
  port: number;
  /**
   * Stops without losing a request: for `delayMs`, every response closes its connection, so that
   * clients and proxies go elsewhere. Then no more connections are accepted, and the requests in
   * flight get `timeoutMs` to finish. Takes up to two seconds more.
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
  /** While it is pending, requests are held back. */
  let hold: Promise<unknown> | undefined;
  const connections = new Map<Duplex, Connection>();
  const enqueue = fairQueue();

  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    // a proxy may open connections before it has requests for them
    headersTimeout: Math.max(60_000, keepAliveTimeoutMs + 5000),
    requestTimeout: Math.max(requestTimeoutMs, keepAliveTimeoutMs + 5000),
    requireHostHeader: false, // checkHead does
  });
  server.maxHeadersCount = 0; // checkHead limits them; Node would drop the excess silently
  server.timeout = transferTimeoutMs;
  // a client may close its side after the request, and still gets the response
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket) => {
    if (connections.has(socket)) return; // emitted again after an upgrade
    if (connections.size >= maxConnections) return void socket.destroy();
    const connection: Connection = { responses: [], used: false, unusedSweeps: 0 };
    connections.set(socket, connection);
    socket.on('close', () => {
      connections.delete(socket);
      // Node emits `close` only on the response that has the socket, not on those queued behind it
      for (const res of connection.responses) {
        if (!res.closed && !res.socket) res.destroy().emit('close');
      }
    });
  });

  /** Handles errors and timeouts of a socket that Node no longer listens to. @returns undoes it */
  function adopt(socket: Duplex): () => void {
    const ignore = () => {};
    const onTimeout = () => server.emit('timeout', socket as Socket);
    socket.on('error', ignore).on('timeout', onTimeout);
    return () => socket.off('error', ignore).off('timeout', onTimeout);
  }

  /** Registers a request. @returns false if its connection was cut instead */
  function register(req: IncomingMessage, res: ServerResponse): boolean {
    const connection = connections.get(req.socket);
    if (!connection || isFlooded(connection)) {
      req.socket.destroy();
      return false;
    }
    const { responses } = connection;
    while (responses[0]?.closed) responses.shift();
    const previous = responses.at(-1);
    responses.push(res);
    connection.used = true;
    if (lifecycle.draining) {
      // only the last response on a connection closes it
      if (previous && !previous.headersSent) previous.shouldKeepAlive = true;
      res.shouldKeepAlive = false;
    }
    if (logRequests) logRequest(req, res);
    if (req.method !== 'GET') res.on('finish', () => discardRest(req, transferTimeoutMs));
    return true;
  }

  function onRequest(req: IncomingMessage, res: ServerResponse): void {
    if (!register(req, res)) return;
    const problem = checkHead(req);
    if (problem) {
      res.shouldKeepAlive = false;
      sendProblem(res, problem);
    } else {
      enqueue(() => {
        if (hold) void hold.then(() => handler(req, res));
        else void handler(req, res);
      });
    }
  }
  server.on('request', onRequest);
  // readBody sends the 100; if it is not called, the client won't send the body
  server.on('checkContinue', (req: HostedRequest, res) => {
    req[expectsContinue] = true;
    res.shouldKeepAlive = false;
    onRequest(req, res);
  });
  server.on('checkExpectation', (req, res) => {
    if (!register(req, res)) return;
    sendProblem(res, new Problem('expectation-failed', 'Expect nothing but 100-continue.'));
  });
  server.on('upgrade', (req, socket, head) => {
    const release = adopt(socket);
    afterResponses(connections.get(socket) ?? { responses: [] }, () => {
      if (!socket.writable) return;
      release();
      // ignores the upgrade (RFC 9110, section 7.8); Node would drop the requests that follow
      socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(req), 'latin1'), head]));
      server.emit('connection', socket);
    });
  });
  server.on('connect', (req, socket) => {
    adopt(socket);
    socket.resume();
    const headers = { Allow: 'GET, POST, HEAD, OPTIONS' };
    const problem = new Problem('method-not-allowed', 'This is not a proxy.', { headers });
    sendOnSocket(socket, problem, connections.get(socket), req);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ECONNRESET') {
      sendOnSocket(socket, toParserProblem(error), connections.get(socket));
    }
  });
  server.on('timeout', (socket: Socket) => {
    const { used, responses } = connections.get(socket) ?? { used: true, responses: [] };
    // headersTimeout applies to new connections, and readBody handles a body that stalls
    const next = responses.find(({ closed }) => !closed);
    if (used && next?.headersSent !== false) socket.destroy();
  });

  function closeUnused(): void {
    server.closeIdleConnections();
    // to Node, a connection without any request is not idle; several sweeps, as one may be unread yet
    for (const [socket, connection] of connections) {
      const isUnused = (socket as Socket).bytesRead === 0;
      if (isUnused && ++connection.unusedSweeps > maxUnusedSweeps) socket.destroy();
    }
  }

  const otherListeners = await listen(server, port);

  return {
    port: (server.address() as AddressInfo).port,
    async drain(delayMs, timeoutMs) {
      lifecycle.draining = true;
      for (const { responses } of connections.values()) {
        const last = responses.at(-1);
        if (last) last.shouldKeepAlive = false;
      }
      await sleep(delayMs);
      // Closing the server resets connections that are still in the kernel's queue. While requests
      // are held back, no client that got its response opens another connection.
      hold = untilQuiet(server);
      await hold;
      hold = undefined;
      // net's close, as http's also closes new connections that have not sent a request yet
      const closed = Promise.all([server, ...otherListeners].map(closeListener)).then(() => true);
      const sweep = setInterval(() => setImmediate(closeUnused), sweepIntervalMs);
      const isFinished = await Promise.race([closed, sleep(timeoutMs, false, { ref: false })]);
      clearInterval(sweep);
      if (!isFinished) {
        log.warn(`requests still in flight after ${timeoutMs} ms were cut off`);
        server.closeAllConnections();
      }
    },
  };
}

/** Waits for the end of its connections. */
function closeListener(server: NetServer): Promise<void> {
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
}

/** Waits until no connection has arrived for `quietMs`, for two seconds at most. */
async function untilQuiet(server: NetServer): Promise<void> {
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
