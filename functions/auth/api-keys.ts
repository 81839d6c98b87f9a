import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readSmallFile } from '../runtime/small-file';
import type { Caller } from './caller';
import { keySource } from './key-source';
import type { Verified } from './known-callers';
import { cannotVerify, invalidToken } from './refusals';
import { isScope } from './scopes';

// A key is fk_NAME_SECRET. Its name is public and leads to its hash. The secret has 256 random bits, so
// that nobody can guess it, and a hash without salt or stretching does not give it away.

/** What the keys of this service begin with, so that scanners find those that were published. */
export const keyPrefix = 'fk_';

const namePattern = '[a-z0-9-]{1,63}';
const keyPattern = new RegExp(`^${keyPrefix}(${namePattern})_[\\w-]{43}$`);
const nameOnly = new RegExp(`^${namePattern}$`);
const hashPattern = /^sha256:[0-9a-f]{64}$/;

interface ApiKey extends Caller {
  digest: Buffer;
}

/** Keys by name. Several of one name are one caller, whose key is being replaced. */
export type ApiKeys = ReadonlyMap<string, ApiKey[]>;

/**
 * Reads a list of keys: a line `NAME sha256:HASH SCOPE…` each, and comments that begin with `#`.
 *
 * @throws Error that names the line that is wrong, without what stands in it
 */
export function parseApiKeys(text: string): ApiKeys {
  const keys = new Map<string, ApiKey[]>();
  const digests = new Set<string>();
  text.split('\n').forEach((line, i) => {
    const [entry = ''] = line.split('#', 1);
    const [name = '', digest = '', ...scopes] = entry.trim().split(/\s+/);
    if (!name) return;
    if (!nameOnly.test(name) || !hashPattern.test(digest) || scopes.length === 0) {
      throw new Error(`line ${i + 1} is not NAME sha256:HASH SCOPE…, as npm run key prints it`);
    }
    if (!scopes.every(isScope)) {
      throw new Error(`line ${i + 1} has a scope that is not like data:read or data:write`);
    }
    if (digests.has(digest)) throw new Error(`line ${i + 1} has the same hash as an earlier line`);
    digests.add(digest);
    const key = {
      name: `key:${name}`,
      scopes: new Set(scopes),
      digest: Buffer.from(digest.slice('sha256:'.length), 'hex'),
    };
    keys.set(name, [...(keys.get(name) ?? []), key]);
  });
  return keys;
}

/** Finds who has a key, in a time that does not depend on how much of the secret is right. */
export function findByKey(keys: ApiKeys, key: string): Caller | undefined {
  const name = keyPattern.exec(key)?.[1];
  const candidates = name === undefined ? undefined : keys.get(name);
  if (!candidates) return undefined;
  const digest = Buffer.from(hash('sha256', key), 'hex'); // faster than as a buffer
  return candidates.find((candidate) => timingSafeEqual(candidate.digest, digest));
}

/** How often the file is read, in ms. A Secret reaches its volume up to a minute after it was changed. */
const maxAgeMs = 2000;

/**
 * Creates a verifier of the API keys in a file, which it reads again every two seconds.
 *
 * @param onChange is called when the keys in the file have changed
 */
export function verifierOfApiKeys(file: string, onChange: () => void) {
  const source = keySource({
    source: 'api-keys',
    name: 'the API keys',
    load: () => readSmallFile(file),
    parse: parseApiKeys,
    count: (keys) => [...keys.values()].flat().length,
    maxAgeMs,
    onChange,
  });
  /** @throws {Problem} 401 if there is no such key */
  return async (key: string): Promise<Verified> => {
    const keys = source.current() ?? (await source.newerThan(undefined));
    if (!keys) throw cannotVerify();
    const caller = findByKey(keys, key);
    if (!caller) throw invalidToken('There is no such API key. Send one that is in use.');
    return { caller, expiresAt: Number.POSITIVE_INFINITY };
  };
}

/**
 * Makes a key.
 *
 * @returns the key, and its line for the list of keys
 * @throws Error if the name or a scope can't be one
 */
export function createApiKey(name: string, scopes: string[]): { key: string; line: string } {
  const key = `${keyPrefix}${name}_${randomBytes(32).toString('base64url')}`;
  const line = `${name} sha256:${hash('sha256', key)} ${scopes.join(' ')}`;
  parseApiKeys(line);
  return { key, line };
}
