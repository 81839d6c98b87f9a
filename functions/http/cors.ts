import { commonHeaders } from './respond';
import type { RequestHandler } from './router';

/** What a page of another origin may send. */
const preflightHeaders = [
  ...['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, PATCH, DELETE'],
  'Access-Control-Allow-Headers',
  'Authorization, Content-Type, Idempotency-Key, X-Request-Id, Traceparent',
  ...['Access-Control-Max-Age', '600'], // in seconds
];

/** What it may read, besides the headers that browsers always show. */
const responseHeaders =
  'Location, Retry-After, WWW-Authenticate, Allow, Link, X-Request-Id, X-Served-By';

/**
 * Lets pages of some origins call a handler from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol).
 * No cookies are involved. As no response may be cached, none has to name `Origin` in `Vary`.
 *
 * @param origins such as `https://app.example`
 */
export function withCors(handler: RequestHandler, origins: string[]): RequestHandler {
  const allowed = new Set(origins);
  return (req, res) => {
    const { origin } = req.headers;
    if (origin === undefined || !allowed.has(origin)) return handler(req, res);
    res.setHeader('Access-Control-Allow-Origin', origin);
    // a browser asks before it sends a token, so it is answered without one
    if (req.method === 'OPTIONS' && req.headers['access-control-request-method']) {
      res.writeHead(204, [...commonHeaders(req), ...preflightHeaders]).end();
      return;
    }
    res.setHeader('Access-Control-Expose-Headers', responseHeaders);
    return handler(req, res);
  };
}
