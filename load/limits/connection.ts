import { connect, type Socket } from 'node:net';
import { host } from '../../tools/network/ports';

export interface Answer {
  status: number;
  /** Whether the server closes the connection after it. */
  closes: boolean;
}

/** A connection of a client, which sends what it is told to, however odd. */
export interface Connection {
  socket: Socket;
  /** Whether it can be asked: it is open, and the server has not said that it will close it. */
  isUsable(): boolean;
  /**
   * Sends bytes and waits for the next answer, behind those to what was asked before.
   *
   * @param head whether the answer has no body, whatever its head says
   * @throws Error whose `code` tells why the connection ended before the answer was whole
   */
  ask(bytes: Buffer | string, head?: boolean): Promise<Answer>;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
  head: boolean;
}

/** @param idleMs after which a connection on which nothing moves is given up */
export function open(port: number, idleMs = 60_000): Connection {
  const socket = connect({ port, host, noDelay: true });
  const waiting: Waiting[] = [];
  let usable = true;
  let reason = Object.assign(new Error('closed'), { code: 'CLOSED' });

  socket.setTimeout(idleMs, () => {
    socket.destroy(Object.assign(new Error('silent'), { code: 'SILENT' }));
  });
  socket.on('error', (error: typeof reason) => (reason = error));
  socket.on('close', () => {
    usable = false;
    for (const { reject } of waiting.splice(0)) reject(reason);
  });
  readAnswers(
    socket,
    () => waiting[0]?.head ?? false,
    (answer) => {
      if (answer.closes) usable = false;
      waiting.shift()?.resolve(answer);
    },
  );

  return {
    socket,
    isUsable: () => usable,
    ask: (bytes, head = false) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(reason);
        waiting.push({ resolve, reject, head });
        socket.write(bytes);
      }),
  };
}

/** @param hasNoBody whether the answer that begins is one to a HEAD */
function readAnswers(
  socket: Socket,
  hasNoBody: () => boolean,
  done: (answer: Answer) => void,
): void {
  let rest: Buffer = Buffer.alloc(0);
  let answer: Answer | undefined;
  let chunked = false;
  /** Bytes of the body, or of its chunk, that have not come yet. */
  let left = 0;

  /** @returns the line up to an end, which is taken with it, or undefined when not all of it is there */
  function take(end: string): string | undefined {
    const at = rest.indexOf(end);
    if (at === -1) return undefined;
    const line = rest.toString('latin1', 0, at);
    rest = rest.subarray(at + end.length);
    return line;
  }

  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (!answer) {
        const head = take('\r\n\r\n');
        if (head === undefined) return;
        const status = Number(head.slice(9, 12));
        if (status < 200) continue;
        answer = { status, closes: /^connection: close/im.test(head) };
        const empty = hasNoBody() || status === 204 || status === 304;
        chunked = !empty && /^transfer-encoding: chunked/im.test(head);
        left = empty ? 0 : Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      }
      const bytes = Math.min(left, rest.length);
      left -= bytes;
      rest = rest.subarray(bytes);
      if (left > 0) return;
      if (chunked) {
        const size = take('\r\n');
        if (size === undefined) return;
        const length = Number.parseInt(size, 16);
        left = length + 2;
        if (length === 0) chunked = false;
        continue;
      }
      done(answer);
      answer = undefined;
    }
  });
}

const type = 'Host: a\r\nContent-Type: application/json';

export function get(path: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

/** A POST up to where its body begins. */
export function postHead(length: number, more = ''): string {
  return `POST /data HTTP/1.1\r\n${type}\r\nContent-Length: ${length}\r\n${more}\r\n`;
}

export function post(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(postHead(body.length)), body]);
}

/**
 * A POST without a length, in chunks of `size` bytes.
 *
 * @param extension what stands behind the length of each chunk
 */
export function postInChunks(body: Buffer, size: number, extension = ''): Buffer {
  const head = `POST /data HTTP/1.1\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const parts: Buffer[] = [Buffer.from(head)];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    const length = chunk.length.toString(16);
    parts.push(Buffer.from(`${length}${extension}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from(lastChunk)]);
}

export const lastChunk = '0\r\n\r\n';
