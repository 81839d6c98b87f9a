import type { IncomingMessage } from 'node:http';
import { Problem } from '../http/problem';
import { invalidToken, tokenRequired } from './refusals';

/** Tokens have 1 KiB on a cluster, and some KiB where they list a user's groups. */
const maxTokenLength = 8192;

/**
 * The token of a request.
 *
 * @throws {Problem} 401 if there is none or it is too long, 400 if there are two
 */
export function bearerToken(req: IncomingMessage): string {
  const { authorization } = req.headers;
  if (authorization?.slice(0, 7).toLowerCase() !== 'bearer ') throw tokenRequired();
  if (hasTwo(req)) throw new Problem('malformed-request', 'Send one Authorization header.');
  const token = authorization.slice(7).replace(/^ +/, '');
  if (token.length > maxTokenLength) {
    throw invalidToken(`Send a token of at most ${maxTokenLength} characters.`);
  }
  return token;
}

/** Node keeps the first one only, and a proxy in front may have looked at the other. */
function hasTwo({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization') count++;
  }
  return count > 1;
}
