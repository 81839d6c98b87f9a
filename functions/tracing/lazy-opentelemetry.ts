import { once } from '../runtime/once';

/** OpenTelemetry's libraries, loaded on the first call: without traces the service does without them. */
export const openTelemetry = once(
  () => require('./opentelemetry') as typeof import('./opentelemetry'),
);
