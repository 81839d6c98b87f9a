import type { IncomingMessage } from 'node:http';
import { setCaller } from '../http/caller';
import type { Authorize } from '../http/router';
import { keyPrefix, verifierOfApiKeys } from './api-keys';
import { bearerToken } from './bearer';
import type { Caller } from './caller';
import { knownCallers } from './known-callers';
import { insufficientScope, invalidToken } from './refusals';
import { type TokenSettings, verifierOfTokens } from './tokens';

/** Who may call the service: whoever has a token, an API key, or either. */
export interface AuthSettings {
  tokens?: TokenSettings;
  /** The list of API keys, see `parseApiKeys`. */
  apiKeysFile?: string;
}

/** Creates the check that each request has to pass before its handler is called and its body is read. */
export function createAuthorize({ tokens, apiKeysFile }: AuthSettings): Authorize {
  const known = knownCallers();
  const verifyApiKey =
    apiKeysFile === undefined ? undefined : verifierOfApiKeys(apiKeysFile, known.clear);
  const verifyToken = tokens && verifierOfTokens(tokens, known.clear);

  return function authorize(req, scope) {
    const token = bearerToken(req);
    const caller = known.find(token);
    if (caller) return admit(req, caller, scope);
    const isApiKey = token.startsWith(keyPrefix);
    const verify = isApiKey ? verifyApiKey : verifyToken;
    if (!verify)
      throw invalidToken(`This service accepts ${isApiKey ? 'no API keys' : 'API keys only'}.`);
    return known.learn(token, verify).then((caller) => admit(req, caller, scope));
  };
}

function admit(req: IncomingMessage, { name, scopes }: Caller, scope: string | undefined): void {
  setCaller(req, name);
  if (scope !== undefined && scopes && !scopes.has(scope)) throw insufficientScope(scope);
}
