import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lifecycle } from '../runtime/lifecycle';
import { expectsContinue, type HostedRequest } from './body';
import {
  afterResponses,
  type Connection,
  discardRest,
  headWithoutUpgrade,
  isFlooded,
  nextResponse,
  sendOnSocket,
  trackConnections,
} from './connection';
import { closeServer, closeWithLastResponse, untilQuiet } from './drain';
import { connectionCut, requestArrived } from './events';
import { fairQueue } from './fair-queue';
import { listen } from './listeners';
import { checkHead, toParserProblem } from './malformed';
import { Problem } from './problem';
import { logRequest } from './request-log';
import { sendProblem } from './respond';
import type { RequestHandler } from './router';

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
  /** See `trackConnections`. */
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

/** Whether a request has a body (RFC 9112, section 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return 'content-length' in headers || 'transfer-encoding' in headers;
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
  const connections = trackConnections(server, maxConnections);

  /** Handles errors and timeouts of a socket that Node no longer listens to. @returns undoes it */
  function watch(socket: Duplex): () => void {
    const ignore = () => {};
    const onTimeout = () => server.emit('timeout', socket as Socket);
    socket.on('error', ignore).on('timeout', onTimeout);
    return () => socket.off('error', ignore).off('timeout', onTimeout);
  }

  /** Registers a request. @returns its connection, or undefined if the request is not to be answered */
  function register(req: IncomingMessage, res: ServerResponse): Connection | undefined {
    const connection = connections.get(req.socket);
    if (!connection || isFlooded(connection)) {
      if (connection) connectionCut.publish('pipelining');
      req.socket.destroy();
      return undefined;
    }
    const { responses } = connection;
    while (responses[0]?.closed) responses.shift();
    const previous = responses.at(-1);
    if (lifecycle.draining) {
      // only the last response on a connection closes it
      if (previous && !previous.headersSent) previous.shouldKeepAlive = true;
      res.shouldKeepAlive = false;
    }
    // after the response that closes the connection, no request may be processed (RFC 9112, section 9.6)
    if (previous?.shouldKeepAlive === false || !req.socket.writable) return undefined;
    // a client that reconnects may find room; one whose connection is taken away would lose a request
    if (connections.size >= maxConnections) res.shouldKeepAlive = false;
    responses.push(res);
    connection.used = true;
    // now the last that was used
    connections.delete(req.socket);
    connections.set(req.socket, connection);
    requestArrived.publish(res);
    // a browser can't send `Connection: close`; the page asks so to reach other replicas, too
    if (req.headers['x-connection'] === 'close') res.shouldKeepAlive = false;
    if (logRequests) logRequest(req, res);
    if (hasBody(req)) res.on('finish', () => discardRest(req, transferTimeoutMs));
    return connection;
  }

  function onRequest(req: IncomingMessage, res: ServerResponse): void {
    const connection = register(req, res);
    if (!connection) return;
    const problem = checkHead(req);
    if (problem) {
      res.shouldKeepAlive = false;
      sendProblem(res, problem);
      return;
    }
    const begin = () => {
      if (hold) void hold.then(() => handler(req, res));
      // the requests that have arrived with it are seen first: the last one closes the connection
      else if (lifecycle.draining) setImmediate(handler, req, res);
      else void handler(req, res);
    };
    // pipelined requests would fill the queue: Node reads a thousand of them at once
    if (connection.responses.length > 1) begin();
    else enqueue(begin);
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
    sendProblem(
      res,
      new Problem(
        'expectation-failed',
        'Leave out the header Expect, or send Expect: 100-continue.',
      ),
    );
  });
  server.on('upgrade', (req, socket, head) => {
    const unwatch = watch(socket);
    // ignores the upgrade (RFC 9110, section 7.8); Node would drop the requests that follow. At once, as
    // a client that closes its side ends the socket when nothing is left to be read
    socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(req), 'latin1'), head]));
    afterResponses(connections.get(socket) ?? { responses: [] }, () => {
      if (!socket.writable) return;
      unwatch();
      server.emit('connection', socket);
    });
  });
  server.on('connect', (req, socket) => {
    watch(socket);
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
    const connection = connections.get(socket) ?? { used: true, responses: [] };
    // headersTimeout applies to new connections, and readBody handles a body that stalls
    const next = nextResponse(connection);
    if (connection.used && next?.headersSent !== false) socket.destroy();
  });

  const otherListeners = await listen(server, port);

  return {
    port: (server.address() as AddressInfo).port,
    async drain(delayMs, timeoutMs) {
      lifecycle.draining = true;
      closeWithLastResponse(connections.values());
      await sleep(delayMs);
      // Closing the server resets connections that are still in the kernel's queue. While requests
      // are held back, no client that got its response opens another connection.
      hold = untilQuiet(server);
      await hold;
      hold = undefined;
      await closeServer(server, otherListeners, connections, timeoutMs);
    },
  };
}
