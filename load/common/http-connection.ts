import { connect, type Socket } from 'node:net';
import { host } from '../../tools/network/ports';

export interface HttpResponse {
  status: number;
  /** Whether it has `Connection: close`. */
  closes: boolean;
}

/** A client's connection that sends raw bytes, however malformed. */
export interface HttpConnection {
  socket: Socket;
  /** Whether it is open, and no response had `Connection: close`. */
  isUsable(): boolean;
  /**
   * Sends bytes, behind earlier requests if need be, and waits for their response.
   *
   * @param isHead whether this is a HEAD request, so that the response has no body
   * @throws Error whose `code` says why the connection ended before the response was complete
   */
  request(bytes: Buffer | string, isHead?: boolean): Promise<HttpResponse>;
}

interface PendingRequest {
  resolve(response: HttpResponse): void;
  reject(error: Error): void;
  isHead: boolean;
}

/** @param idleMs after which an idle connection is closed */
export function openConnection(port: number, idleMs = 60_000): HttpConnection {
  const socket = connect({ port, host, noDelay: true });
  const pending: PendingRequest[] = [];
  let usable = true;
  let reason = Object.assign(new Error('closed'), { code: 'CLOSED' });

  socket.setTimeout(idleMs, () => {
    socket.destroy(Object.assign(new Error('silent'), { code: 'SILENT' }));
  });
  socket.on('error', (error: typeof reason) => (reason = error));
  socket.on('close', () => {
    usable = false;
    for (const { reject } of pending.splice(0)) reject(reason);
  });
  readResponses(
    socket,
    () => pending[0]?.isHead ?? false,
    (response) => {
      if (response.closes) usable = false;
      pending.shift()?.resolve(response);
    },
  );

  return {
    socket,
    isUsable: () => usable,
    request: (bytes, isHead = false) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(reason);
        pending.push({ resolve, reject, isHead });
        socket.write(bytes);
      }),
  };
}

/** @param isHead whether the next response is to a HEAD request */
function readResponses(
  socket: Socket,
  isHead: () => boolean,
  done: (response: HttpResponse) => void,
): void {
  let buffer: Buffer = Buffer.alloc(0);
  let response: HttpResponse | undefined;
  let chunked = false;
  /** Bytes of the body, or of its current chunk, still to come. */
  let left = 0;

  /** @returns the text before a delimiter, both of which it consumes; undefined when incomplete */
  function readUntil(delimiter: string): string | undefined {
    const end = buffer.indexOf(delimiter);
    if (end === -1) return undefined;
    const text = buffer.toString('latin1', 0, end);
    buffer = buffer.subarray(end + delimiter.length);
    return text;
  }

  socket.on('data', (chunk: Buffer) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    for (;;) {
      if (!response) {
        const head = readUntil('\r\n\r\n');
        if (head === undefined) return;
        const status = Number(head.slice(9, 12));
        if (status < 200) continue;
        response = { status, closes: /^connection: close/im.test(head) };
        const empty = isHead() || status === 204 || status === 304;
        chunked = !empty && /^transfer-encoding: chunked/im.test(head);
        left = empty ? 0 : Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      }
      const bytes = Math.min(left, buffer.length);
      left -= bytes;
      buffer = buffer.subarray(bytes);
      if (left > 0) return;
      if (chunked) {
        const size = readUntil('\r\n');
        if (size === undefined) return;
        const length = Number.parseInt(size, 16);
        left = length + 2;
        if (length === 0) chunked = false;
        continue;
      }
      done(response);
      response = undefined;
    }
  });
}

const headers = 'Host: a\r\nContent-Type: application/json';

export function get(path: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

/** The head of a POST. */
export function postHead(length: number, moreHeaders = ''): string {
  return `POST /data HTTP/1.1\r\n${headers}\r\nContent-Length: ${length}\r\n${moreHeaders}\r\n`;
}

export function post(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(postHead(body.length)), body]);
}

/**
 * A chunked POST.
 *
 * @param size of each chunk, in bytes
 * @param extension the chunk extension, after the size of each chunk
 */
export function postInChunks(body: Buffer, size: number, extension = ''): Buffer {
  const head = `POST /data HTTP/1.1\r\n${headers}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const parts: Buffer[] = [Buffer.from(head)];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    const length = chunk.length.toString(16);
    parts.push(Buffer.from(`${length}${extension}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from(lastChunk)]);
}

export const lastChunk = '0\r\n\r\n';
