type OpenTelemetry = typeof import('./opentelemetry');

let loaded: OpenTelemetry | undefined;

/** OpenTelemetry's libraries, loaded on the first call: without traces the service does without them. */
export function openTelemetry(): OpenTelemetry {
  loaded ??= require('./opentelemetry') as OpenTelemetry;
  return loaded;
}
