import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseContentType } from 'content-type';
import type { Transfer } from '../runtime/memory';
import { Problem } from './problem';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Checks by its head that a request brings JSON that may be taken.
 *
 * @param limit the most bytes that are taken
 * @returns how many bytes it is, or may be at most
 * @throws {Problem} 415 for a content type or coding other than plain JSON's, 413 for a body over the
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

/** A request whose client sends the body when it is told to (RFC 9110, section 10.1.1). */
export const expectsContinue = Symbol('expects 100-continue');

/** What the hosts know of a request besides. */
export interface HostedRequest extends IncomingMessage {
  /** The Functions Framework has read the body already. */
  rawBody?: Buffer;
  [expectsContinue]?: boolean;
}

/**
 * The body, if all of it is there already.
 *
 * @param limit the most bytes that are taken
 * @throws {Problem} 413 for a body over the limit
 */
export function readBuffered(req: HostedRequest, limit: number): Buffer | undefined {
  const body: Buffer | undefined =
    req.rawBody ?? (req.complete && !req.destroyed ? (req.read() ?? Buffer.alloc(0)) : undefined);
  if (body && body.length > limit) throw tooLarge(limit);
  return body;
}

/**
 * Reads a body into one buffer, however small the pieces are in which it comes.
 *
 * @param limit the most bytes that are taken
 * @param transfer is told of progress
 * @param cut ends it early, with its reason
 * @throws {Problem} 413 for a body over the limit, 400 for one that ends early, 408 for one of which
 *   nothing comes for as long as the server's timeout
 */
export function readBody(
  req: HostedRequest,
  res: ServerResponse,
  limit: number,
  transfer: Transfer,
  cut: AbortSignal,
): Promise<Buffer> {
  if (req[expectsContinue]) res.writeContinue();
  return new Promise((resolve, reject) => {
    const announced = Number(req.headers['content-length'] ?? 0);
    let body: Buffer = Buffer.alloc(0);
    let size = 0;
    const end = (settle: () => void) => {
      req.off('data', take).off('end', done).off('close', closed).off('timeout', stalled);
      cut.removeEventListener('abort', aborted);
      settle();
    };
    const take = (chunk: Buffer) => {
      if (size + chunk.length > limit) return end(() => reject(tooLarge(limit)));
      if (size === 0 && chunk.length === announced) {
        body = chunk;
      } else {
        if (size + chunk.length > body.length) {
          const larger = Buffer.allocUnsafeSlow(
            announced || Math.min(limit, 2 * (size + chunk.length)),
          );
          body.copy(larger, 0, 0, size);
          body = larger;
        }
        chunk.copy(body, size);
      }
      size += chunk.length;
      transfer.moved(chunk.length);
    };
    const done = () => end(() => resolve(body.subarray(0, size)));
    const closed = () =>
      end(() => reject(new Problem('incomplete-body', 'The body ended before it was whole.')));
    const aborted = () => end(() => reject(cut.reason));
    const stalled = () =>
      end(() => reject(new Problem('request-timeout', 'Nothing came of the body for too long.')));
    cut.addEventListener('abort', aborted);
    req.on('timeout', stalled);
    req.on('data', take).on('end', done).on('close', closed);
    if (req.destroyed) closed();
    // it may have waited before it was to be sent
    req.socket.setTimeout(req.socket.timeout ?? 0);
  });
}

/** @throws {Problem} 400 for what isn't JSON in UTF-8 */
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
