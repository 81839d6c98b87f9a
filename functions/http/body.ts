import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseContentType } from 'content-type';
import type { Transfer } from '../runtime/memory';
import { Problem } from './problem';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Checks by its headers that a request has a JSON body that can be accepted.
 *
 * @param limit the largest body that is accepted, in bytes
 * @returns the size of the body in bytes, or the limit if the headers do not declare it
 * @throws {Problem} 415 for a content type or coding other than plain JSON, 413 for a body over the
 *   limit
 */
export function declaredSize(req: IncomingMessage, limit: number): number {
  const { 'content-type': contentType = '', 'content-encoding': coding = 'identity' } = req.headers;
  if (coding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported-content-coding', 'Send the body without a Content-Encoding.', {
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
  const { type, parameters } = parseContentType(contentType);
  const charset = parameters.charset?.toLowerCase() ?? 'utf-8';
  if (type !== 'application/json' || !/^utf-?8$/.test(charset)) {
    throw new Problem(
      'unsupported-media-type',
      'Send JSON in UTF-8, with the header Content-Type: application/json.',
      { headers: { 'Accept-Post': 'application/json' } },
    );
  }
  const length = req.headers['content-length'];
  if (Number(length) > limit) throw tooLarge(limit);
  return length === undefined ? limit : Number(length);
}

/** Set if the client waits for a 100 before it sends the body (RFC 9110, section 10.1.1). */
export const expectsContinue = Symbol('expects 100-continue');

/** A request, with what its host adds. */
export interface HostedRequest extends IncomingMessage {
  /** The body, which the Functions Framework has already read. */
  rawBody?: Buffer;
  [expectsContinue]?: boolean;
}

/**
 * The body, if it has arrived completely.
 *
 * @param limit the largest body that is accepted, in bytes
 * @throws {Problem} 413 for a body over the limit
 */
export function readBuffered(req: HostedRequest, limit: number): Buffer | undefined {
  const body: Buffer | undefined =
    req.rawBody ?? (req.complete && !req.destroyed ? (req.read() ?? Buffer.alloc(0)) : undefined);
  if (body && body.length > limit) throw tooLarge(limit);
  return body;
}

/**
 * Reads a body into one buffer, so that its memory does not depend on the size of its chunks.
 *
 * @param limit the largest body that is accepted, in bytes
 * @param transfer gets the progress
 * @param signal aborts the reading, and its reason is thrown
 * @throws {Problem} 413 for a body over the limit, 400 if it ends early, 408 if nothing arrives for
 *   the server's timeout
 */
export function readBody(
  req: HostedRequest,
  res: ServerResponse,
  limit: number,
  transfer: Transfer,
  signal: AbortSignal,
): Promise<Buffer> {
  if (req[expectsContinue]) res.writeContinue();
  return new Promise((resolve, reject) => {
    const declared = Number(req.headers['content-length'] ?? 0);
    let body: Buffer = Buffer.alloc(0);
    let size = 0;
    const settle = (callback: () => void) => {
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('timeout', onTimeout);
      signal.removeEventListener('abort', onAbort);
      callback();
    };
    const onData = (chunk: Buffer) => {
      if (size + chunk.length > limit) return settle(() => reject(tooLarge(limit)));
      if (size === 0 && chunk.length === declared) {
        body = chunk;
      } else {
        if (size + chunk.length > body.length) {
          const larger = Buffer.allocUnsafeSlow(
            declared || Math.min(limit, 2 * (size + chunk.length)),
          );
          body.copy(larger, 0, 0, size);
          body = larger;
        }
        chunk.copy(body, size);
      }
      size += chunk.length;
      transfer.moved(chunk.length);
    };
    const onEnd = () => settle(() => resolve(body.subarray(0, size)));
    const onClose = () =>
      settle(() => reject(new Problem('incomplete-body', 'The body ended early.')));
    const onAbort = () => settle(() => reject(signal.reason));
    const onTimeout = () =>
      settle(() => reject(new Problem('request-timeout', 'The body stopped arriving.')));
    signal.addEventListener('abort', onAbort);
    req.on('timeout', onTimeout);
    req.on('data', onData).on('end', onEnd).on('close', onClose);
    if (req.destroyed) onClose();
    // restart the timeout: the request may have waited for memory
    req.socket.setTimeout(req.socket.timeout ?? 0);
  });
}

/** @throws {Problem} 400 for anything but JSON in UTF-8 */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'not valid UTF-8';
    throw new Problem('malformed-json', `The body is not JSON: ${reason}.`, { cause: error });
  }
}

function tooLarge(limit: number): Problem {
  return new Problem('body-too-large', `Send at most ${limit} bytes.`);
}
