import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where requests go: a process of the service, or what stands in front of several. */
export interface Target {
  name: string;
  url: string;
  /** The Host header, where the URL's is not what the route goes by. */
  host?: string;
}

export interface Sent {
  method?: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** How long the last byte of the body is held back, in ms. */
  stallMs?: number;
  /** How long nothing of the answer is read, in ms. */
  takeAfterMs?: number;
}

/** How a request ended. Times are in ms, as `performance.now()` tells them. */
export interface Ended {
  startedAt: number;
  endedAt: number;
  /** Of a whole answer. */
  status?: number;
  text: string;
  /** Of the error of a connection, or `no answer` after a minute. */
  code?: string;
}

/**
 * A connection that idles for half a second is closed from here: one that the service closes in its
 * drain has then been used in that drain, and its client was told to use it no more.
 */
const agent = new Agent({ keepAlive: true, timeout: 500 });
const timeoutMs = 60_000;

/** Sends a request and reads the answer. Never rejects. */
export async function send({ url, host }: Target, sent: Sent): Promise<Ended> {
  const { method = 'GET', path, headers, body, stallMs = 0, takeAfterMs = 0 } = sent;
  const startedAt = performance.now();
  const req = request(url + path, {
    method,
    agent,
    headers: {
      ...(host && { Host: host }),
      ...(body !== undefined && {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
      }),
      ...headers,
    },
  });
  const late = setTimeout(() => req.destroy(codeError('no answer')), timeoutMs);
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    req.on('error', reject);
    req.on('response', async (res) => {
      try {
        if (takeAfterMs) await sleep(takeAfterMs);
        const parts: string[] = [];
        for await (const part of res.setEncoding('utf8')) parts.push(part);
        resolve({ status: res.statusCode ?? 0, text: parts.join('') });
      } catch (error) {
        reject(error);
      }
    });
  });
  if (stallMs && body) {
    req.write(body.slice(0, -1));
    const end = setTimeout(() => req.end(body.slice(-1)), stallMs);
    req.on('close', () => clearTimeout(end));
  } else {
    req.end(body);
  }
  try {
    return { startedAt, ...(await answer), endedAt: performance.now() };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { startedAt, endedAt: performance.now(), text: '', code: code ?? message };
  } finally {
    clearTimeout(late);
  }
}

function codeError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
