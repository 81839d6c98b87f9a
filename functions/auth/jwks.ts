import type { JSONWebKeySet } from 'jose';
import { readSmallFile } from '../runtime/small-file';

/** Where the keys of an issuer are. */
export interface JwksSource {
  /** Found out by OIDC discovery if there is none. */
  url?: string;
  /** A token that is sent to `url`, read each time as it may be replaced. */
  tokenFile?: string;
}

/** How long each response of an issuer may take, in ms. */
const timeoutMs = 5000;

/** A hundred RSA keys with certificates, in bytes. */
const maxBytes = 256 * 1024;

/**
 * Fetches the keys of an issuer.
 *
 * @returns a JSON Web Key Set, as text
 * @throws Error that says what failed
 */
export async function fetchJwks(issuer: string, source: JwksSource): Promise<string> {
  const { url = await discover(issuer), tokenFile } = source;
  const token = tokenFile === undefined ? undefined : parseToken(readSmallFile(tokenFile));
  return fetchText(url, token ? { Authorization: `Bearer ${token}` } : {});
}

/** Kubernetes publishes its keys only as their own type: https://www.rfc-editor.org/rfc/rfc7517#section-8.5.2 */
const accept = 'application/jwk-set+json, application/json';

/** @throws Error if the text can't be a token; fetch would show it in an error, which is logged */
export function parseToken(text: string): string {
  const token = text.trim();
  if (!/^[\w.~+/=-]+$/.test(token)) throw new Error('the file has no token');
  return token;
}

/** @throws Error if the text is not a JSON Web Key Set, without what is in it */
export function parseJwks(text: string): JSONWebKeySet {
  const found = parseJson(text, 'the key set');
  if (!Array.isArray(found?.keys) || !found.keys.every((key: unknown) => Object(key) === key)) {
    throw new Error('the key set is not {"keys":[…]}');
  }
  return found;
}

/** @throws Error that is logged, so it does not quote the text as that of JSON.parse does */
function parseJson(text: string, what: string) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${what} is not JSON`);
  }
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = parseJson(await fetchText(url, {}), url);
  if (found?.issuer !== issuer) throw new Error(`${url} is about another issuer`);
  if (!isTrustworthy(found.jwks_uri)) throw new Error(`${url} has no jwks_uri with https`);
  return found.jwks_uri;
}

async function fetchText(url: string, headers: Record<string, string>): Promise<string> {
  try {
    const response = await fetch(url, {
      headers: { Accept: accept, ...headers },
      // a redirect could lead a token to another host
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`the status is ${response.status}`);
    return await readBounded(response);
  } catch (error) {
    const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    // that of several addresses has no message
    throw new Error(`${url}: ${cause?.message || cause?.code || message}`);
  }
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the response has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Whether keys from a URL can be trusted: with TLS, or from this machine. One with a password would be logged. */
export function isTrustworthy(url: unknown): boolean {
  if (typeof url !== 'string' || !URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  if (username || password) return false;
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLocal);
}
