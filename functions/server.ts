import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
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

/** Those to the last two requests on a connection. */
interface Responses {
  last?: ServerResponse;
  before?: ServerResponse | undefined;
}

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
  const connections = new Map<Duplex, Responses>();

  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    // a proxy may open connections ahead of the requests for them
    headersTimeout: Math.max(60_000, keepAliveTimeoutMs + 5000),
    requireHostHeader: false,
  });
  // whoever has sent all of a request may close that direction, and still gets the answer
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket) => {
    connections.set(socket, {});
    socket.on('close', () => connections.delete(socket));
  });

  function begin(req: IncomingMessage, res: ServerResponse): void {
    const before = connections.get(req.socket)?.last;
    connections.set(req.socket, { last: res, before });
    if (draining) {
      // the last on a connection closes it, not one with others behind it
      if (before && !before.headersSent) before.shouldKeepAlive = true;
      res.shouldKeepAlive = false;
    }
    if (logRequests) logRequest(req, res);
  }

  function onRequest(req: IncomingMessage, res: ServerResponse): void {
    begin(req, res);
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
    begin(req, res);
    sendProblem(res, new Problem('expectation-failed', 'Expect nothing but 100-continue.'));
  });
  server.on('connect', (req, socket) => {
    socket.on('error', () => {}).resume(); // Node has taken its own listeners off
    const headers = { Allow: 'GET, POST, HEAD, OPTIONS' };
    const problem = new Problem('method-not-allowed', 'This is no proxy.', { headers });
    answer(socket, problem, connections.get(req.socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ECONNRESET') answer(socket, malformedBy(error), connections.get(socket));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    async drain(delayMs, timeoutMs) {
      draining = true;
      for (const { last } of connections.values()) if (last) last.shouldKeepAlive = false;
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
        for (const socket of connections.keys()) {
          if ((socket as Socket).bytesRead === 0) socket.destroy();
        }
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

/** What Node could not parse as a request, in the form of every other error. */
function malformedBy({ code = '' }: NodeJS.ErrnoException): Problem {
  const [type, detail] = malformed[code] ?? [
    'malformed-request',
    `Send HTTP/1.1; this can't be read as such (${code}).`,
  ];
  return new Problem(type, detail);
}

/**
 * Answers on a connection for which Node has no response, and ends it; not before the whole requests
 * that came on it earlier are answered, as this would pass for the answer to one of them.
 */
function answer(socket: Duplex, problem: Problem, { last, before }: Responses = {}): void {
  const earlier = last?.req.complete ? last : before;
  if (earlier && !earlier.writableFinished) {
    earlier.once('finish', () => answer(socket, problem));
    return;
  }
  if (!socket.writable) return;
  const body = JSON.stringify(problem);
  const headers = {
    Connection: 'close',
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    ...problem.more.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n`;
  socket.end(`${status}${lines.join('')}\r\n${body}`, () => {
    setTimeout(() => socket.destroy(), lingerMs).unref();
  });
}
