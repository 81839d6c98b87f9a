import type { ExportResult } from '@opentelemetry/core';
import type { BasicTracerProvider, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { log } from '../runtime/log';
import { openTelemetry } from './lazy-opentelemetry';
import { resourceAttributes } from './resource';

/** What a span may hold: a client can send long headers, and 1,000 posts can share a batch. */
const spanLimits = { attributeValueLengthLimit: 1024, linkCountLimit: 1000 };

/**
 * Creates the tracer provider. It sends spans in batches, as OpenTelemetry's variables say. Spans wait in
 * a queue of 2,048 by default; while it is full, new ones are dropped.
 */
export function createProvider(): BasicTracerProvider {
  const { BasicTracerProvider, BatchSpanProcessor, OTLPTraceExporter } = openTelemetry();
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = openTelemetry();
  logWarnings();
  return new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes(resourceAttributes(process.env)))
      .merge(detectResources({ detectors: [envDetector] })),
    spanLimits,
    spanProcessors: [new BatchSpanProcessor(withLog(new OTLPTraceExporter()))],
  });
}

/** Logs when the collector stops or starts to accept spans, and why, each time the reason changes. */
function withLog(exporter: SpanExporter): SpanExporter {
  const { ExportResultCode } = openTelemetry();
  let lastReason: string | undefined;

  function report({ code, error }: ExportResult): void {
    const reason = code === ExportResultCode.SUCCESS ? undefined : reasonOf(error);
    if (reason === lastReason) return;
    lastReason = reason;
    if (reason === undefined) log.info('the collector accepts traces again');
    else log.warn({ reason }, 'traces are lost: the collector does not accept them');
  }

  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        report(result);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

/** The status of a response and its reason, or the error of the connection. */
function reasonOf(error: NodeJS.ErrnoException | undefined): string {
  const { code, message } = error ?? {};
  if (typeof code === 'number') return `${code} ${message}`;
  return message || code || 'unknown';
}

const intervalMs = 60_000;

/** Logs the warnings of OpenTelemetry's libraries, each at most once a minute. */
function logWarnings(): void {
  const { DiagLogLevel, diag, setGlobalErrorHandler } = openTelemetry();
  const loggedAt = new Map<string, number>();
  const ignore = () => {};
  const warn = (message: string) => {
    const kind = message.replace(/\d+/g, '#');
    const now = performance.now();
    if (now - (loggedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < intervalMs) return;
    loggedAt.set(kind, now);
    log.warn({ reason: message }, 'OpenTelemetry');
  };
  const logger = { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  setGlobalErrorHandler(ignore); // exports that fail, which are logged by withLog
}
