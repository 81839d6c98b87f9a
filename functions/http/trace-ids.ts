import type { IncomingMessage } from 'node:http';

/**
 * The trace of a request, and its part of it, as log lines name them.
 * https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
 */
export interface TraceIds {
  trace_id: string;
  span_id: string;
  /** `01` if the trace is sampled, otherwise `00`. */
  trace_flags: string;
}

const ids = Symbol('trace ids');

type Traced = Pick<IncomingMessage, 'headers'> & { [ids]?: TraceIds };

/** Notes the trace of a request, for its lines in the log. */
export function setTraceIds(req: Traced, traceIds: TraceIds): void {
  req[ids] = traceIds;
}

/** The trace of a request, if it has one. */
export function traceIds(req: Traced): TraceIds | undefined {
  return req[ids];
}
