import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { version } from '../../package.json';
import { log } from '../runtime/log';
import { type Scope, traceOperations } from './operations';
import type { TracingOptions } from './options';
import { createProvider } from './provider';
import { traceRequests } from './requests';

/** Traces that are being made and sent. */
export interface Tracing {
  /** Sends the spans that are left, for two seconds at most, and stops. */
  close(): Promise<void>;
}

/** How long the process waits at its end for the collector, in ms. */
const flushTimeoutMs = 2000;

/**
 * Starts to trace requests and operations of MongoDB, and to send the spans to a collector. It loads
 * OpenTelemetry, which takes a while, and reads its variables from `process.env`.
 *
 * @param databaseName the database that the service uses
 */
export function startTracing({ collector }: TracingOptions, databaseName: string): Tracing {
  const provider = createProvider();
  const tracer = provider.getTracer('functions', version);
  const scope = new AsyncLocalStorage<Scope | undefined>();
  const endings = [
    ...traceRequests(tracer, scope),
    ...traceOperations(tracer, scope, databaseName),
  ];
  log.info({ collector }, 'sending traces');
  return {
    async close() {
      for (const end of endings) end();
      scope.disable();
      const sent = provider.shutdown().then(
        () => true,
        () => true, // logged already
      );
      const isSent = await Promise.race([sent, sleep(flushTimeoutMs, false, { ref: false })]);
      if (!isSent)
        log.warn(`the last traces were not accepted in ${flushTimeoutMs} ms, and are lost`);
    },
  };
}
