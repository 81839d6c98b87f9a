import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config';
import { log } from './log';
import { Problem, type ProblemType } from './problem';
import { sendProblem } from './respond';
import type { RequestHandler } from './router';

const holdMs = 100;
const lingerMs = 3000;

/** A listening server. */
export interface Server {
  port: number;
  /**
   * Stops without losing a request: for `delayMs` every answer closes its connection, while whoever
   * sends requests here learns that it should not; then no connection is accepted, and what is
   * under way gets `timeoutMs` to finish.
   */
  drain(delayMs: number, timeoutMs: number): Promise<void>;
}

/**
 * Serves a handler on `node:http`.
 *
 * @param port 0 for any that is free
 * @param keepAliveTimeoutMs longer than that of the proxy in front, which otherwise sends a request
 *   on a connection that is just being closed here
 * @throws {NodeJS.ErrnoException} `EADDRINUSE` and the like
 */
export async function serve(
  handler: RequestHandler,
  {
    port,
    keepAliveTimeoutMs,
    bodyLimitBytes,
    logRequests,
  }: Pick<Config, 'port' | 'keepAliveTimeoutMs' | 'bodyLimitBytes' | 'logRequests'>,
): Promise<Server> {
  let draining = false;
  let held: Promise<unknown> | undefined;
  const sockets = new Set<Socket>();

  class Response extends ServerResponse {
    override writeHead(status: number, ...rest: unknown[]): this {
      if (draining) this.setHeader('Connection', 'close');
      return super.writeHead(status, ...(rest as [OutgoingHttpHeaders?]));
    }
  }

  const server = createServer({
    ServerResponse: Response,
    keepAliveTimeout: keepAliveTimeoutMs,
    // a proxy may open connections ahead of the requests for them
    headersTimeout: Math.max(60_000, keepAliveTimeoutMs + 5000),
    requireHostHeader: false,
  });
  // whoever has sent all of a request may close that direction, and still gets the answer
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  function onRequest(req: IncomingMessage, res: ServerResponse): void {
    newest.set(req.socket, res);
    if (logRequests) logRequest(req, res);
    if (req.method !== 'GET') res.on('finish', () => discardRest(req));
    if (req.httpVersion === '1.1' && !req.headers.host) {
      sendProblem(res, new Problem('malformed-request', 'Send a Host header.'));
    } else if (held) void held.then(() => handler(req, res));
    else void handler(req, res);
  }
  server.on('request', onRequest);
  // a client that asks before it sends a large body is told before it has sent it
  server.on('checkContinue', (req, res) => {
    const length = Number(req.headers['content-length'] ?? 0);
    if (length <= bodyLimitBytes) res.writeContinue();
    onRequest(req, res);
  });
  server.on('checkExpectation', (req, res) => {
    if (logRequests) logRequest(req, res);
    sendProblem(res, new Problem('expectation-failed', 'Expect nothing but 100-continue.'));
  });
  server.on('connect', (_, socket) => {
    const headers = { Allow: 'GET, POST, HEAD, OPTIONS' };
    answer(socket, new Problem('method-not-allowed', 'This is no proxy.', { headers }));
  });
  server.on('clientError', answerMalformed);

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    async drain(delayMs, timeoutMs) {
      draining = true;
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
      const sweep = setInterval(() => {
        server.closeIdleConnections();
        // those on which nothing ever came do not count as idle
        for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      }, 250);
      const finished = await Promise.race([closed, sleep(timeoutMs, false, { ref: false })]);
      clearInterval(sweep);
      if (!finished) {
        log.warn(`requests still under way after ${timeoutMs} ms were cut off`);
        server.closeAllConnections();
      }
    },
  };
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
  }
}

/**
 * Lets a client that was answered early send the rest of its body, for a while, so that it gets to
 * see the answer: a connection that is closed with bytes unread is reset, and the answer may go
 * with it.
 */
function discardRest(req: IncomingMessage): void {
  if (req.complete) return;
  const cut = setTimeout(() => req.destroy(), lingerMs).unref();
  req.resume().on('close', () => clearTimeout(cut));
}

let requests = 0;

function logRequest(req: IncomingMessage, res: ServerResponse): void {
  const begin = performance.now();
  const { method, url = '', headers } = req;
  const requestId = headers['x-request-id']?.slice(0, 200) ?? `${process.pid}-${++requests}`;
  res.on('close', () => {
    log.info(
      {
        method,
        path: url.split('?', 1)[0],
        status: res.headersSent ? res.statusCode : undefined,
        ms: Math.round((performance.now() - begin) * 1000) / 1000,
        requestId,
        traceparent: headers.traceparent,
        aborted: res.writableFinished ? undefined : true,
      },
      'request',
    );
  });
}

const malformed: Record<string, [ProblemType, string]> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'Send at most 16 KiB of headers.'],
  HPE_INVALID_EOF_STATE: ['incomplete-body', 'The request ended before it was whole.'],
  HPE_INVALID_METHOD: [
    'malformed-request',
    'Begin with a method of HTTP, such as GET, in capital letters.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'Send the request faster.'],
};

/** Answers what Node could not parse as a request, in the form of every other error. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return;
  const [type, detail] = malformed[error.code ?? ''] ?? [
    'malformed-request',
    `Send HTTP/1.1; this can't be read as such (${error.code}).`,
  ];
  answer(socket, new Problem(type, detail));
}

/** The last response of a connection. */
const newest = new WeakMap<Duplex, ServerResponse>();

/**
 * Answers on a connection for which Node has no response, and ends it; not before a whole request
 * that came on it earlier is answered, as this would pass for its answer.
 */
function answer(socket: Duplex, problem: Problem): void {
  const pending = newest.get(socket);
  if (pending?.req.complete && !pending.writableFinished) {
    pending.once('finish', () => answer(socket, problem));
    return;
  }
  const body = JSON.stringify(problem);
  const headers = {
    Connection: 'close',
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    ...problem.more.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n`;
  socket.end(`${status}${lines.join('')}\r\n${body}`);
}
