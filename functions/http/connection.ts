import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { connectionCut, problemSent } from './events';
import type { Problem } from './problem';
import { commonHeaders } from './respond';

/** How long a client may take to close a connection that this side has ended, in ms. */
const closeGraceMs = 3000;

/**
 * Requests of one connection that may wait for their responses. No client needs as many unless it
 * sends more than it reads. With more, the connection is cut, because Node reads them before it can
 * pause.
 */
const maxPipelined = 64;

/** What the server tracks about a connection. */
export interface Connection {
  /** Responses that were not sent when the last request arrived, in order. */
  responses: ServerResponse[];
  /** Whether a request has arrived on it. */
  used: boolean;
  /** How often it was found unused while draining. */
  unusedSweeps: number;
}

/** The open connections of a server by socket, first those that have sent no request for longest. */
export type Connections = Map<Duplex, Connection>;

/**
 * Tracks the open connections of a server.
 *
 * @param max The most that may be open. When another arrives, the one that has sent no request for longest
 *   is closed, so that silent clients lock nobody out; if all are being served, the new one.
 */
export function trackConnections(server: Server, max: number): Connections {
  const connections: Connections = new Map();
  server.on('connection', (socket) => {
    if (connections.has(socket)) return; // emitted again after an upgrade
    if (connections.size >= max) {
      connectionCut.publish('connections');
      const waiting = longestWaiting(connections);
      if (!waiting) return void socket.destroy();
      connections.delete(waiting);
      waiting.destroy();
    }
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
  return connections;
}

/** The first connection that waits for its client: to send a request or the rest of one, or to read. */
function longestWaiting(connections: Connections): Duplex | undefined {
  for (const [socket, connection] of connections) {
    const next = nextResponse(connection);
    const isWaiting = !next || next.writableEnded || next.writableNeedDrain || !next.req.complete;
    if (isWaiting) return socket;
  }
  return undefined;
}

/** The response that the client gets next: those behind it wait. */
export function nextResponse({
  responses,
}: Pick<Connection, 'responses'>): ServerResponse | undefined {
  return responses.find(({ closed }) => !closed);
}

/** Whether too many requests of a connection wait for their responses. */
export function isFlooded({ responses }: Connection): boolean {
  // counted only now and then, as responses that are complete but not sent yet cost little
  if (responses.length === 0 || responses.length % maxPipelined !== 0) return false;
  return responses.filter(({ writableEnded }) => !writableEnded).length >= maxPipelined;
}

/** Calls back after the responses to the complete requests on a connection, which go first. */
export function afterResponses(
  { responses }: Pick<Connection, 'responses'>,
  callback: () => void,
): void {
  const last = responses.filter(({ req, closed }) => req.complete && !closed).at(-1);
  if (last) last.once('close', callback);
  else callback();
}

/** Sends a problem on a socket for which Node has no response object, and closes the connection. */
export function sendOnSocket(
  socket: Duplex,
  problem: Problem,
  connection: Connection | undefined,
  req: Pick<IncomingMessage, 'headers'> = { headers: {} },
): void {
  const { responses } = connection ?? { responses: [] };
  afterResponses({ responses }, () => {
    const isResponding = responses.some(({ headersSent, closed }) => headersSent && !closed);
    if (!socket.writable) return;
    if (isResponding) return void socket.end();
    problemSent.publish({ problem });
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
      setTimeout(() => socket.destroy(), closeGraceMs).unref();
    });
  });
}

/** The head of a request as text, without its Upgrade header. */
export function headWithoutUpgrade(req: IncomingMessage): string {
  const { method, url, httpVersion, rawHeaders } = req;
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'upgrade') {
      head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
    }
  }
  return `${head}\r\n`;
}

/** A body up to this size, in bytes, is discarded for as long as the client may take to send it. */
const smallBodyBytes = 4 * 1024 * 1024;

/**
 * Lets a client that got its response early send the rest of its body, for a while, so that it sees
 * the response: closing a connection with unread bytes resets it, and the response may be lost.
 */
export function discardRest(req: IncomingMessage, transferTimeoutMs: number): void {
  if (req.complete) return;
  const isSmall = Number(req.headers['content-length']) <= smallBodyBytes;
  const timeoutMs = isSmall ? transferTimeoutMs : closeGraceMs;
  const timer = setTimeout(() => req.destroy(), timeoutMs).unref();
  req.resume().on('close', () => clearTimeout(timer));
}
