import { Problem } from '../http/problem';

// The responses to requests that are not authorized. Their details are also in `WWW-Authenticate`, so they
// are ASCII without quotes and backslashes (RFC 6750, section 3).

const scheme = 'Bearer realm="functions"';

/** A 401 to a request without credentials that could be accepted. */
export function tokenRequired(): Problem {
  const detail = 'Send a token in the header Authorization: Bearer TOKEN, and nowhere else.';
  return new Problem('token-required', detail, { headers: { 'WWW-Authenticate': scheme } });
}

/** A 401 to a request whose token is not accepted. @param detail why, and what to do */
export function invalidToken(detail: string, cause?: unknown): Problem {
  const challenge = `${scheme}, error="invalid_token", error_description="${detail}"`;
  return new Problem('invalid-token', detail, {
    headers: { 'WWW-Authenticate': challenge },
    cause,
  });
}

/** A 403 to a caller who lacks a scope. */
export function insufficientScope(scope: string): Problem {
  const detail = `Use a token with the scope ${scope}, which this one lacks.`;
  const challenge = `${scheme}, error="insufficient_scope", scope="${scope}"`;
  return new Problem('insufficient-scope', detail, { headers: { 'WWW-Authenticate': challenge } });
}

/** A 503 to a request whose token can't be verified at the moment. */
export function cannotVerify(): Problem {
  return new Problem(
    'authentication-unavailable',
    'Nothing was done, as the token could not be verified. Try again.',
    { headers: { 'Retry-After': '1' } },
  );
}
