import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import type { Span, Tracer } from '@opentelemetry/api';
import { problemSent, requestArrived, requestRouted } from '../http/events';
import { isProbe, pathOf } from '../http/request-log';
import { errorType, methodName, statusOf } from '../http/semantic-conventions';
import { setTraceIds } from '../http/trace-ids';
import { bind, listen } from '../runtime/event';
import { openTelemetry } from './lazy-opentelemetry';
import type { Scope } from './operations';

const running = Symbol('what is traced of a request');

type Traced = ServerResponse & {
  [running]?: {
    span: Span;
    /** The type of the problem that it got, if any. */
    problem: string;
  };
};

/**
 * Makes a span of each request, until its response has been sent. It continues the trace that the
 * headers `traceparent` and `tracestate` name. Probes have none, as they would be most of the spans.
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
 *
 * @param scope gets the span of the request that is handled
 */
export function traceRequests(
  tracer: Tracer,
  scope: AsyncLocalStorage<Scope | undefined>,
): (() => void)[] {
  const { defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode } = openTelemetry();
  const propagator = new (openTelemetry().W3CTraceContextPropagator)();

  function onArrived(res: Traced): void {
    const { req } = res;
    const path = pathOf(req);
    if (isProbe(path)) return;
    const method = methodName(req.method);
    const span = tracer.startSpan(
      nameOf(method),
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          ...(method !== req.method && { 'http.request.method_original': req.method }),
          'url.path': path,
          'url.scheme': 'http',
          'network.protocol.version': req.httpVersion,
          'user_agent.original': req.headers['user-agent'],
          ...serverAddress(req.headers.host),
        },
      },
      propagator.extract(ROOT_CONTEXT, req.headers, defaultTextMapGetter),
    );
    const { traceId, spanId, traceFlags } = span.spanContext();
    setTraceIds(req, { trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags & 1}` });
    res[running] = { span, problem: '' };
    res.on('close', onClose);
  }

  function onClose(this: Traced): void {
    const { span, problem } = this[running] as NonNullable<Traced[typeof running]>;
    const status = statusOf(this);
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    const error = errorType(this, problem);
    if (error) span.setAttribute('error.type', error);
    // an answer with 4xx is right, and so is none to a client that left
    if (Number(status) >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }

  return [
    listen(requestArrived, onArrived),
    bind(requestRouted, scope, ({ res, route }) => {
      const span = (res as Traced)[running]?.span;
      if (!span) return undefined;
      span.updateName(`${nameOf(methodName(res.req.method))} ${route}`);
      span.setAttribute('http.route', route);
      return { requests: [span] };
    }),
    listen(problemSent, ({ problem, res }) => {
      const request = (res as Traced | undefined)?.[running];
      if (request) request.problem = problem.type;
    }),
  ];
}

/** A method in the name of a span. */
function nameOf(method: string): string {
  return method === '_OTHER' ? 'HTTP' : method;
}

/** The host and the port that the client wanted, from the header `Host`. */
function serverAddress(host = '') {
  const [, address, port] = /^(.+?)(?::(\d{1,5}))?$/.exec(host) ?? [];
  return {
    ...(address && { 'server.address': address }),
    ...(port && { 'server.port': Number(port) }),
  };
}
