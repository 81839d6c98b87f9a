import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Attributes, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { batchSent, readSent, type Sharing, sharingJoined } from '../documents/events';
import { COLLECTION } from '../mongo/client';
import { attemptEnded, clientCreated, operationEnded, operationStarted } from '../mongo/events';
import { errorType, statusCode } from '../mongo/semantic-conventions';
import { Unavailable } from '../runtime/errors';
import { bind, listen } from '../runtime/event';
import { openTelemetry } from './lazy-opentelemetry';

/** For whom something is done. */
export interface Scope {
  /** The spans of the requests. */
  requests: Span[];
  /** If they share it: how many documents are written, or none if it is a query. */
  shared?: { documents?: number };
  /** The span of the operation of MongoDB that is under way. */
  operation?: Span;
}

/**
 * Makes a span of each operation of MongoDB, with all its attempts, as the conventions say. Those that
 * fail are events. https://opentelemetry.io/docs/specs/semconv/db/database-spans/
 *
 * A batch or a shared read is done for many requests, of which a span can have one as its parent: the
 * first that is sampled. It has links to all of them, and the others have a link to it.
 */
export function traceOperations(
  tracer: Tracer,
  scope: AsyncLocalStorage<Scope | undefined>,
  databaseName: string,
): (() => void)[] {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = openTelemetry();
  const isSampled = (span: Span) => (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
  const requestsByGroup = new WeakMap<object, Span[]>();
  let server: Attributes = {};

  function onJoined(group: object): void {
    const own = scope.getStore()?.requests ?? [];
    const requests = requestsByGroup.get(group);
    if (requests) requests.push(...own);
    else requestsByGroup.set(group, [...own]);
  }

  function scopeOf({ group }: Sharing, documents?: number): Scope {
    const shared = documents === undefined ? {} : { documents };
    return { requests: requestsByGroup.get(group) ?? [], shared };
  }

  function startOperation(name: string, { requests, shared }: Scope): Span | undefined {
    const sampled = requests.filter(isSampled);
    const [parent, ...others] = sampled;
    if (!parent) return undefined;
    const documents = shared?.documents ?? 0;
    const span = tracer.startSpan(
      shared ? `${name} ${COLLECTION}` : name,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'mongodb',
          'db.namespace': databaseName,
          'db.operation.name': name,
          ...(shared && { 'db.collection.name': COLLECTION }),
          ...(documents > 1 && { 'db.operation.batch.size': documents }),
        },
        ...(shared && { links: sampled.map(linkTo) }),
      },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
    for (const request of others) if (request.isRecording()) request.addLink(linkTo(span));
    return span;
  }

  return [
    listen(sharingJoined, onJoined),
    bind(batchSent, scope, (sharing) => scopeOf(sharing, sharing.size)),
    bind(readSent, scope, (sharing) => scopeOf(sharing)),
    bind(operationStarted, scope, ({ name }) => {
      const outer = scope.getStore();
      const operation = outer && startOperation(name, outer);
      return outer && operation && { ...outer, operation };
    }),
    listen(attemptEnded, ({ error }) => {
      if (error) scope.getStore()?.operation?.addEvent('attempt failed', attributesOf(error));
    }),
    listen(operationEnded, (error) => {
      const span = scope.getStore()?.operation;
      if (!span) return;
      span.setAttributes(server); // may have been unknown when it began
      if (error) {
        const cause = error instanceof Unavailable && error.cause ? error.cause : error;
        span.setAttributes(attributesOf(cause)).setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    }),
    listen(clientCreated, ({ options: { hosts } }) => {
      const [only, ...more] = hosts;
      if (!only || more.length > 0) return;
      server = { 'server.address': only.host ?? '', 'server.port': only.port ?? 27_017 };
    }),
  ];
}

function linkTo(span: Span): { context: SpanContext } {
  return { context: span.spanContext() };
}

/** An error's kind, and not its message, which may contain a document. */
function attributesOf(error: unknown): Attributes {
  const status = statusCode(error);
  return { 'error.type': errorType(error), ...(status && { 'db.response.status_code': status }) };
}
