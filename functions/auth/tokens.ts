import type { JWTPayload } from 'jose';
import { Problem } from '../http/problem';
import { readSmallFile } from '../runtime/small-file';
import type { Caller } from './caller';
import { fetchJwks, type JwksSource, parseJwks } from './jwks';
import { keySource } from './key-source';
import type { Verified } from './known-callers';
import { cannotVerify, invalidToken } from './refusals';
import { scopesIn } from './scopes';

/** Which tokens are accepted: those that one issuer has made for one audience. */
export interface TokenSettings {
  /** As the claim `iss` has it. */
  issuer: string;
  /** As the claim `aud` has it, alone or among others. */
  audience: string;
  /** Where the issuer's keys are. */
  jwks: { file: string } | JwksSource;
  /** Whether a token without `scope` and `scp` has no scope, instead of all. */
  requireScope: boolean;
}

/** Signatures with a private key. Who verifies one with a shared secret could sign, too (RFC 8725). */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** The header `typ` of access tokens. Others are for logout, for example (RFC 8725, section 3.11). */
const accessTokenType = /^(?:application\/)?(?:at\+)?jwt$/i;

/** How far clocks may be apart, in seconds. */
const toleranceSeconds = 30;

/** Tokens that are verified at a time. Each takes some 20 KiB, and a fifth of a millisecond of CPU. */
const maxPending = 1000;

/** How many of them may wait for newer keys of the issuer; the rest is for tokens whose key is known. */
const maxWaiting = 500;

/** Characters of a subject that the log shows. */
const maxNameLength = 200;

/** How often keys are loaded again, in ms. */
const maxAgeMs = { url: 10 * 60_000, file: 2000 };

/**
 * Creates a verifier of the JSON Web Tokens of an issuer, and starts to load the issuer's keys.
 *
 * @param onChange is called when the keys have changed: the key of a verified token may be withdrawn
 */
export function verifierOfTokens(settings: TokenSettings, onChange: () => void) {
  const { issuer, audience, jwks, requireScope } = settings;
  // loaded only here, as nobody else needs it
  const jose = require('./jose') as typeof import('./jose');
  let pending = 0;
  let waiting = 0;

  const isFile = 'file' in jwks;
  const keys = keySource({
    source: 'issuer',
    name: "the issuer's keys",
    load: () => (isFile ? readSmallFile(jwks.file) : fetchJwks(issuer, jwks)),
    parse: (text) => jose.createLocalJWKSet(parseJwks(text)),
    count: (keys) => keys.jwks().keys.length,
    maxAgeMs: isFile ? maxAgeMs.file : maxAgeMs.url,
    onChange,
  });
  type Keys = ReturnType<typeof jose.createLocalJWKSet>;

  /** Verifies with the keys that are known, and if the one of the token is not, with newer ones. */
  async function verify(token: string): Promise<Verified> {
    // these first, so that other tokens make nobody wait
    if (jose.decodeJwt(token).iss !== issuer) {
      throw invalidToken('The token is from another issuer. Send one from that of this service.');
    }
    if (!isCanonical(token.slice(token.lastIndexOf('.') + 1))) {
      throw invalidToken(
        'The signature is not written in base64url. Send the token as it was made.',
      );
    }
    const current = keys.current() ?? (await newerKeys(undefined));
    try {
      return await verifyWith(current, token);
    } catch (error) {
      if (!(error instanceof jose.errors.JWKSNoMatchingKey)) throw error;
      return verifyWith(await newerKeys(current), token);
    }
  }

  async function verifyWith(set: Keys, token: string): Promise<Verified> {
    const { payload, protectedHeader } = await jose.jwtVerify(token, set, {
      algorithms,
      issuer,
      audience,
      clockTolerance: toleranceSeconds,
      requiredClaims: ['exp'],
    });
    const { typ } = protectedHeader as { typ?: unknown };
    if (typ !== undefined && !(typeof typ === 'string' && accessTokenType.test(typ))) {
      throw invalidToken('The token has been made for something else. Send an access token.');
    }
    const exp = payload.exp as number;
    if (!Number.isSafeInteger(Math.floor(exp))) {
      throw invalidToken('The token has no time at which it expires. Send one that has.');
    }
    return {
      caller: toCaller(payload, requireScope),
      expiresAt: (exp + toleranceSeconds) * 1000,
    };
  }

  async function newerKeys(old: Keys | undefined): Promise<Keys> {
    if (waiting >= maxWaiting) throw cannotVerify();
    waiting++;
    const newer = await keys.newerThan(old).finally(() => waiting--);
    if (!newer) throw cannotVerify();
    return newer;
  }

  /** @throws {Problem} 401 if the token is not accepted, 503 if that can't be found out now */
  return async (token: string): Promise<Verified> => {
    if (pending >= maxPending) throw cannotVerify();
    pending++;
    try {
      return await verify(token);
    } catch (error) {
      throw error instanceof Problem ? error : invalidToken(adviceOn(error), error);
    } finally {
      pending--;
    }
  };
}

/**
 * Whether base64url is written in the one way that RFC 7515 has. Decoders also take padding, spaces and any
 * last bits, so that one token would have many forms. With ECDSA it still has two.
 */
function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url;
}

/** Control characters, and those that change the direction of text, which a terminal would obey. */
const unprintable = /\p{C}/gu;

/**
 * The caller that a verified token names.
 *
 * @param requireScope see `TokenSettings`
 */
export function toCaller(payload: JWTPayload, requireScope: boolean): Caller {
  const { sub } = payload;
  const name = typeof sub === 'string' ? sub.slice(0, maxNameLength).replace(unprintable, '?') : '';
  return {
    name: `sub:${name}`,
    scopes: scopesIn(payload) ?? (requireScope ? new Set() : undefined),
  };
}

/** Why a token is not accepted, and what to do. */
function adviceOn(error: unknown): string {
  const { code, claim } = error as { code?: string; claim?: string };
  if (code === 'ERR_JWT_EXPIRED') return 'The token has expired. Send a new one.';
  if (claim === 'aud') return 'The token is for another audience. Send one for this service.';
  if (claim === 'nbf') return 'The token is not valid yet. Send it later.';
  if (claim === 'exp') return 'The token has no time at which it expires. Send one that has.';
  return "The token can't be verified. Send one that the issuer of this service has signed.";
}
