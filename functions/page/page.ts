import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendBody } from '../http/respond';
import type { Page } from './render';

/** Sends the page to browsers, and a value as JSON to all others. */
export function sendPageOrJson(
  req: IncomingMessage,
  res: ServerResponse,
  value: unknown,
  moreHeaders: Record<string, string> = {},
): void {
  const headers = { ...moreHeaders, Vary: 'Accept' };
  if (!prefersHtml(req.headers.accept)) {
    sendBody(res, 200, 'application/json', JSON.stringify(value), headers);
    return;
  }
  const { html, policy } = require('./built-page') as Page;
  sendBody(res, 200, 'text/html; charset=utf-8', html, {
    ...headers,
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'no-referrer',
  });
}

/**
 * Whether a client names HTML in its `Accept` header and does not prefer JSON: browsers do, programs
 * send `*\/*`, name JSON, or send no such header.
 */
export function prefersHtml(accept = ''): boolean {
  const weights = new Map<string, number>();
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    weights.set(type, Number(weight ?? 1));
  }
  const html = weights.get('text/html') ?? 0;
  const json = weights.get('application/json');
  return html > 0 && (json === undefined ? html >= (weights.get('*/*') ?? 0) : html > json);
}
