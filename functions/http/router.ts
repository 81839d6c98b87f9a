import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import type * as z from 'zod/mini';
import { log } from '../runtime/log';
import { Problem, toProblem } from './problem';
import { parseQuery } from './query';
import { requestId } from './request-id';
import { commonHeaders, sendProblem } from './respond';

/** What `node:http` calls, and the Functions Framework too. */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** One request, its path parameters and its parsed query. */
export interface Exchange<Query = unknown> {
  req: IncomingMessage;
  res: ServerResponse;
  params: Record<string, string | undefined>;
  query: Query;
}

/** What one method does on one resource. */
export interface Operation {
  query: z.ZodMiniType;
  /** What a request without a query gets. */
  defaults: unknown;
  handle(exchange: Exchange): void | Promise<void>;
}

export type Resource = { GET?: Operation; POST?: Operation };

/** An operation with the schema of its query parameters (`noParameters` if it has none). */
export function operation<Query>(
  query: z.ZodMiniType<Query>,
  handle: (exchange: Exchange<Query>) => void | Promise<void>,
): Operation {
  return { query, defaults: parseQuery(query, {}), handle } as Operation;
}

/**
 * Makes one handler of a table of paths (in find-my-way's syntax) and what each can do. HEAD is
 * answered wherever GET is, OPTIONS everywhere (RFC 9110, section 9.3).
 */
export function router(resources: Record<string, Resource>): RequestHandler {
  const paths = findMyWay({ ignoreTrailingSlash: true });
  for (const [path, resource] of Object.entries(resources)) {
    // every path is looked up as GET; which methods it takes is the resource's to say
    paths.on('GET', path, () => {}, resource);
  }

  function dispatch(req: IncomingMessage, res: ServerResponse): void | Promise<void> {
    const match = paths.find('GET', req.url ?? '/');
    if (!match)
      throw new Problem('not-found', 'There is nothing at this path; GET / lists the routes.');

    const resource: Resource = match.store;
    const method = req.method === 'HEAD' ? 'GET' : req.method;
    const found = method === 'GET' || method === 'POST' ? resource[method] : undefined;
    if (found) {
      const query = req.url?.includes('?')
        ? parseQuery(found.query, match.searchParams)
        : found.defaults;
      return found.handle({ req, res, params: match.params, query });
    }
    const headers = { Allow: allowed(resource) };
    if (method !== 'OPTIONS') {
      throw new Problem('method-not-allowed', `Use one of ${headers.Allow} here.`, { headers });
    }
    res.writeHead(204, [...commonHeaders(req), 'Allow', headers.Allow]).end();
  }

  return function handle(req, res) {
    try {
      // without a promise where none is needed
      return dispatch(req, res)?.catch((error) => fail(res, error));
    } catch (error) {
      fail(res, error);
    }
  };
}

function allowed(resource: Resource): string {
  const methods = Object.keys(resource);
  if (resource.GET) methods.push('HEAD');
  return [...methods, 'OPTIONS'].join(', ');
}

function fail(res: ServerResponse, error: unknown): void {
  const problem = toProblem(error);
  report(problem, res.req);
  if (res.headersSent) res.destroy();
  else sendProblem(res, problem);
}

const reported = new Map<string, { reason: string; at: number }>();

/** Logs what is not the client's doing: why there is a 503 once a minute, and when that changes. */
function report({ type, message, more }: Problem, req: IncomingMessage): void {
  if (type === 'internal') {
    log.error({ err: more.cause, requestId: requestId(req) }, 'a request failed');
  } else if (type === 'database-unavailable' || type === 'overloaded') {
    const reason = (more.cause as Error | undefined)?.message ?? message;
    const at = performance.now();
    const last = reported.get(type);
    if (last?.reason === reason && at - last.at < 60_000) return;
    reported.set(type, { reason, at });
    log.warn({ reason, requestId: requestId(req) }, `a request failed: ${type}`);
  }
}
