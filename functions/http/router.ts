import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import type * as z from 'zod/mini';
import { log } from '../runtime/log';
import { newReasons } from '../runtime/new-reasons';
import type { Describe } from './description';
import { requestRouted } from './events';
import { Problem, toProblem } from './problem';
import { parseQuery } from './query';
import { requestId } from './request-id';
import { commonHeaders, sendProblem } from './respond';
import { traceIds } from './trace-ids';

/** Called by `node:http`, and by the Functions Framework. */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/**
 * Decides whether a request may be handled, before its body is read.
 *
 * @param scope what the operation needs, such as `data:write`; undefined if there is no such operation
 * @returns a promise only if it takes time
 * @throws {Problem} if it may not
 */
export type Authorize = (req: IncomingMessage, scope: string | undefined) => void | Promise<void>;

/** A request with its response, path parameters and parsed query. */
export interface Exchange<Query = unknown> {
  req: IncomingMessage;
  res: ServerResponse;
  params: Record<string, string | undefined>;
  query: Query;
}

/** How one method of one resource is handled. */
export interface Operation {
  query: z.ZodMiniType;
  /** The parsed query of a request without one. */
  defaults: unknown;
  handle(exchange: Exchange): void | Promise<void>;
  describe: Describe | undefined;
  /** What a caller needs for it, where callers are told apart; undefined if it is for everybody. */
  scope?: string;
}

/** What can be done at one path: an operation for each method, such as `PUT`. */
export type Resource = { [method: Uppercase<string>]: Operation };

/**
 * Creates an operation.
 *
 * @param query the schema of its query parameters; `noParameters` if it has none
 * @param describe describes it for the OpenAPI document
 */
export function operation<Query>(
  query: z.ZodMiniType<Query>,
  handle: (exchange: Exchange<Query>) => void | Promise<void>,
  describe?: Describe,
): Operation {
  return { query, defaults: parseQuery(query, {}), handle, describe } as Operation;
}

/**
 * Creates one handler for a table of paths (in find-my-way's syntax) and their resources. Every
 * resource with GET answers HEAD, and all answer OPTIONS (RFC 9110, section 9.3).
 *
 * @param authorize is asked about every request, except to paths whose operations have no scope
 * @param hint is appended to the error of a path where there is nothing
 */
export function router(
  resources: Record<string, Resource>,
  authorize?: Authorize,
  hint = '',
): RequestHandler {
  const paths = findMyWay({ ignoreTrailingSlash: true });
  for (const [path, resource] of Object.entries(resources)) {
    const isOpen = Object.values(resource).every(({ scope }) => scope === undefined);
    // each path is looked up as GET; the resource decides which methods it has
    paths.on('GET', path, () => {}, { resource, route: pathTemplate(path), isOpen });
  }

  function dispatch(req: IncomingMessage, res: ServerResponse): void | Promise<void> {
    const match: Match | null = paths.find('GET', req.url ?? '/');
    if (!match || !requestRouted.hasSubscribers) return admit(match, req, res);
    const { route } = match.store;
    return requestRouted.runStores({ res, route }, () => admit(match, req, res));
  }

  /** A stranger does not learn which paths there are. */
  function admit(
    match: Match | null,
    req: IncomingMessage,
    res: ServerResponse,
  ): void | Promise<void> {
    const operation = match ? operationOf(match.store.resource, req) : undefined;
    if (authorize && !match?.store.isOpen) {
      const admitted = authorize(req, operation?.scope);
      if (admitted) return admitted.then(() => handleAt(match, operation, req, res, hint));
    }
    return handleAt(match, operation, req, res, hint);
  }

  return function handle(req, res) {
    try {
      // no promise for what is handled at once
      return dispatch(req, res)?.catch((error) => fail(res, error));
    } catch (error) {
      fail(res, error);
    }
  };
}

/** What is at the path of a request. */
interface Match {
  store: { resource: Resource; route: string; isOpen: boolean };
  params: Exchange['params'];
  searchParams: Record<string, string>;
}

function operationOf(resource: Resource, { method }: IncomingMessage): Operation | undefined {
  return resource[method as 'GET'] ?? (method === 'HEAD' ? resource.GET : undefined);
}

function handleAt(
  match: Match | null,
  operation: Operation | undefined,
  req: IncomingMessage,
  res: ServerResponse,
  hint: string,
): void | Promise<void> {
  if (!match) throw new Problem('not-found', `There is nothing at this path${hint}.`);
  const { params, searchParams } = match;
  if (operation) {
    const { defaults, handle } = operation;
    const query = req.url?.includes('?') ? parseQuery(operation.query, searchParams) : defaults;
    return handle({ req, res, params, query });
  }
  const headers = { Allow: allowed(match.store.resource) };
  if (req.method !== 'OPTIONS') {
    throw new Problem('method-not-allowed', `Use one of ${headers.Allow} here.`, { headers });
  }
  res.writeHead(204, [...commonHeaders(req), 'Allow', headers.Allow]).end();
}

/** The methods of a resource, for the header `Allow`. */
function allowed(resource: Resource): string {
  const methods = new Set([...Object.keys(resource), ...(resource.GET ? ['HEAD'] : []), 'OPTIONS']);
  return [...methods].join(', ');
}

/** Lists what a table of resources can do, such as `GET /data/{id}`. */
export function routesOf(resources: Record<string, Resource>): string[] {
  return Object.entries(resources).flatMap(([path, resource]) =>
    Object.keys(resource).map((method) => `${method} ${pathTemplate(path)}`),
  );
}

/** A path in the form of RFC 6570, such as `/data/{id}`. */
export function pathTemplate(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

/** Answers with the problem that an error is. */
function fail(res: ServerResponse, error: unknown): void {
  const problem = toProblem(error);
  report(problem, res.req);
  if (res.headersSent) res.destroy();
  else sendProblem(res, problem);
}

/** For each type of 503, which reasons are to be logged. */
const isNew = new Map([
  ['database-unavailable', newReasons(60_000)],
  ['overloaded', newReasons(60_000)],
]);

/** Logs errors that are not the client's: each reason of a 503 once a minute. */
function report({ type, message, more }: Problem, req: IncomingMessage): void {
  if (type === 'internal') {
    log.error({ err: more.cause, requestId: requestId(req), ...traceIds(req) }, 'a request failed');
    return;
  }
  const isNewReason = isNew.get(type);
  if (!isNewReason) return;
  const unknown = type === 'overloaded' ? message : 'no connection yet';
  const reason = (more.cause as Error | undefined)?.message ?? unknown;
  if (isNewReason(reason)) {
    log.warn({ reason, requestId: requestId(req), ...traceIds(req) }, `a request failed: ${type}`);
  }
}
