import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where requests go: a replica, or what balances load between several. */
export interface Target {
  name: string;
  url: string;
  /** The Host header, where it differs from the URL's host. */
  host?: string;
}

export interface RequestOptions {
  method?: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** How long the last byte of the body is held back, in ms. */
  stallMs?: number;
  /** How long the client waits before it reads the response, in ms. */
  readAfterMs?: number;
}

/** The outcome of a request. Times are those of `performance.now()`. */
export interface RequestResult {
  startedAt: number;
  endedAt: number;
  /** Of a complete response. */
  status?: number;
  text: string;
  /** Of a connection error; `no response` when the request timed out. */
  code?: string;
}

/**
 * Closes connections after half a second of idling. A connection that a replica closes while it
 * drains has then been used during the drain, so its client was told not to use it again.
 */
const agent = new Agent({ keepAlive: true, timeout: 500 });
const timeoutMs = 60_000;

/** Sends a request and reads the response. Never rejects. */
export async function sendRequest(
  { url, host }: Target,
  options: RequestOptions,
): Promise<RequestResult> {
  const { method = 'GET', path, headers, body, stallMs = 0, readAfterMs = 0 } = options;
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
  const timeout = setTimeout(() => req.destroy(codeError('no response')), timeoutMs);
  const response = new Promise<{ status: number; text: string }>((resolve, reject) => {
    req.on('error', reject);
    req.on('response', async (res) => {
      try {
        if (readAfterMs) await sleep(readAfterMs);
        const chunks: string[] = [];
        for await (const chunk of res.setEncoding('utf8')) chunks.push(chunk);
        resolve({ status: res.statusCode ?? 0, text: chunks.join('') });
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
    return { startedAt, ...(await response), endedAt: performance.now() };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { startedAt, endedAt: performance.now(), text: '', code: code ?? message };
  } finally {
    clearTimeout(timeout);
  }
}

function codeError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
