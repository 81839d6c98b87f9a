import { readSmallFile } from '../runtime/small-file';
import { parseApiKeys } from './api-keys';
import type { AuthSettings } from './authorize';
import { isTrustworthy, parseJwks, parseToken } from './jwks';

type Environment = Record<string, string | undefined>;

/** Settings that need AUTH_ISSUER. */
const forTokens = [
  'AUTH_AUDIENCE',
  'AUTH_JWKS_URL',
  'AUTH_JWKS_FILE',
  'AUTH_JWKS_TOKEN_FILE',
  'AUTH_REQUIRE_SCOPE',
];

const names = ['AUTH_ISSUER', ...forTokens, 'AUTH_API_KEYS_FILE'];

/** What Kubernetes sets for a Service whose name begins with `auth`. */
const serviceLink = /_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_|$)|$)/;

/**
 * Finds variables that were meant to protect the service and would not.
 *
 * @param environment including empty variables
 * @param report is called for each variable that is misspelt or empty
 */
export function checkAuthNames(
  environment: Environment,
  report: (name: string, message: string) => void,
): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('AUTH_') || serviceLink.test(name)) continue;
    if (!names.includes(name)) report(name, `is unknown; the settings are ${names.join(', ')}`);
    else if (value === '') report(name, 'is empty: set it, or leave it out');
  }
}

/**
 * Reads from the environment who may call the service.
 *
 * @param env without empty variables
 * @param report is called for each variable that is missing, invalid or contradicts others
 * @returns undefined if everybody may
 */
export function readAuthSettings(
  env: Environment,
  report: (name: string, message: string) => void,
): AuthSettings | undefined {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_API_KEYS_FILE: apiKeysFile } = env;
  const { AUTH_JWKS_URL: url, AUTH_JWKS_FILE: file, AUTH_JWKS_TOKEN_FILE: tokenFile } = env;
  const { AUTH_REQUIRE_SCOPE: requireScope = 'false' } = env;

  if (issuer === undefined) {
    for (const name of forTokens) if (env[name]) report(name, 'set this together with AUTH_ISSUER');
  } else {
    if (!audience) report('AUTH_AUDIENCE', 'set this to the audience of tokens for this service');
    if (url && file) report('AUTH_JWKS_FILE', 'set this or AUTH_JWKS_URL, not both');
    if (!url && !file && !isTrustworthy(issuer)) {
      report('AUTH_ISSUER', 'must be a URL with https, or set AUTH_JWKS_URL or AUTH_JWKS_FILE');
    }
    if (url && !isTrustworthy(url)) report('AUTH_JWKS_URL', 'must be a URL with https');
    if (tokenFile && !url) report('AUTH_JWKS_TOKEN_FILE', 'set this together with AUTH_JWKS_URL');
    if (!['true', 'false'].includes(requireScope)) {
      report('AUTH_REQUIRE_SCOPE', 'must be true or false');
    }
  }
  check('AUTH_JWKS_FILE', file, parseJwks);
  check('AUTH_JWKS_TOKEN_FILE', tokenFile, parseToken);
  check('AUTH_API_KEYS_FILE', apiKeysFile, parseApiKeys);

  function check(name: string, path: string | undefined, parse: (text: string) => void): void {
    if (!path) return;
    try {
      parse(readSmallFile(path));
    } catch (error) {
      report(name, (error as Error).message);
    }
  }

  if (issuer === undefined && apiKeysFile === undefined) return undefined;
  return {
    ...(issuer !== undefined && {
      tokens: {
        issuer,
        audience: audience ?? '',
        jwks: file ? { file } : { ...(url && { url }), ...(tokenFile && { tokenFile }) },
        requireScope: requireScope === 'true',
      },
    }),
    ...(apiKeysFile !== undefined && { apiKeysFile }),
  };
}
