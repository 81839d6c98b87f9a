/** A scope, such as `data:write`: the name of a function, and whether it may be read or written. */
const scopePattern = /^[a-z0-9-]{1,63}:(?:read|write)$/;

/** The most scopes that are kept of one caller: a token can list thousands. */
const maxScopes = 100;

/** The scope that a method of a function needs. */
export function scopeOf(functionName: string, method: string): string {
  return `${functionName}:${['GET', 'HEAD'].includes(method) ? 'read' : 'write'}`;
}

export function isScope(text: string): boolean {
  return scopePattern.test(text);
}

/**
 * The scopes of a token that could be some of this service.
 *
 * @param claims `scope` is a list with spaces (RFC 8693); `scp` is what other issuers use instead, also as
 *   an array
 * @returns undefined if the token has neither claim
 */
export function scopesIn({ scope, scp }: Record<string, unknown>): ReadonlySet<string> | undefined {
  const claim = scope === undefined ? scp : scope;
  if (claim === undefined) return undefined;
  const names: unknown[] =
    typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  const scopes = names.filter((name) => typeof name === 'string' && isScope(name)) as string[];
  return new Set(scopes.slice(0, maxScopes));
}
