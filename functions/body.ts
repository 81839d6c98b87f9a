import type { IncomingMessage } from 'node:http';
import { parse as parseContentType } from 'content-type';
import type { RawBodyError } from 'raw-body';
import { later } from './later';
import { Problem } from './problem';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a request's JSON, under the Functions Framework from the `rawBody` that it has read
 * already, elsewhere from the request itself.
 *
 * @param limit the most bytes that are taken; a larger body is refused before it is buffered
 * @returns what was read, and its size in bytes
 * @throws {Problem} 415 for a content type or coding other than plain JSON's, 413 for a body over
 *   the limit, 400 for one that isn't JSON in UTF-8 or ends early
 */
export async function readJson(
  req: IncomingMessage,
  limit: number,
): Promise<{ value: unknown; size: number }> {
  requireJson(req);
  const body = await readBody(req, limit);
  try {
    return { value: JSON.parse(utf8.decode(body)), size: body.length };
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'not valid UTF-8';
    throw new Problem('malformed-json', `The body is not JSON: ${reason}.`, { cause: error });
  }
}

function requireJson(req: IncomingMessage): void {
  const { 'content-type': contentType = '', 'content-encoding': coding = 'identity' } = req.headers;
  if (coding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported-content-coding', 'Send the body without a Content-Encoding.', {
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
  const { type, parameters } = parseContentType(contentType);
  const charset = parameters.charset?.toLowerCase() ?? 'utf-8';
  if (type !== 'application/json' || charset !== 'utf-8') {
    throw new Problem(
      'unsupported-media-type',
      'Send JSON in UTF-8, with the header Content-Type: application/json.',
      { headers: { 'Accept-Post': 'application/json' } },
    );
  }
}

async function readBody(req: IncomingMessage & { rawBody?: Buffer }, limit: number) {
  const length = req.headers['content-length'];
  if (Number(length) > limit) throw tooLarge(limit);
  if (req.rawBody) {
    if (req.rawBody.length > limit) throw tooLarge(limit);
    return req.rawBody;
  }
  try {
    return await later().rawBody(req, { limit, length: length ?? null });
  } catch (error) {
    if ((error as RawBodyError).type === 'entity.too.large') throw tooLarge(limit);
    throw new Problem('incomplete-body', 'The body ended before it was whole.', { cause: error });
  }
}

function tooLarge(limit: number): Problem {
  return new Problem('body-too-large', `Send at most ${limit} bytes.`);
}
