import type { ServerResponse } from 'node:http';

// How metrics and traces describe requests: https://opentelemetry.io/docs/specs/semconv/http/

/** The methods of RFC 9110, and PATCH. Clients may send others. */
const knownMethods = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

/** `http.request.method`: a method, or `_OTHER`. */
export function methodName(method = ''): string {
  return knownMethods.has(method) ? method : '_OTHER';
}

/** `http.response.status_code`, if there was a response. */
export function statusOf(res: ServerResponse): number | undefined {
  return res.headersSent ? res.statusCode : undefined;
}

/**
 * `error.type`: what went wrong on the side of the service, or `aborted` if the client left; else empty.
 *
 * @param problem the type of the problem that was sent, if any
 */
export function errorType(res: ServerResponse, problem: string): string {
  const status = statusOf(res) ?? 0;
  if (status >= 500) return problem || String(status);
  return res.writableFinished ? '' : 'aborted';
}
