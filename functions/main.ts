import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp, type Parts, warnIfOpen } from './app';
import { type Config, parseConfig } from './config';
import { type Server, serve } from './http/server';
import type { Metrics } from './metrics/start';
import type { Database } from './mongo/database';
import { createParts } from './parts';
import { explain } from './runtime/explain';
import { flushLog, log } from './runtime/log';
import { stopSignal } from './runtime/signals';
import type { Tracing } from './tracing/start';

/** Lets requests that arrived during the start go first: loading the driver takes several times as long. */
const headStartMs = 10;

/** The running service. */
export interface Service {
  url: string;
  database: Database;
  /** Resolves when a signal has stopped the service and the requests in flight have finished. */
  stopped: Promise<void>;
}

/**
 * Starts the service, which runs until a signal stops it (see `stopSignal`).
 *
 * @throws {ConfigError} that names every invalid variable
 * @throws {NodeJS.ErrnoException} when the service can't listen on its port
 */
export async function start(environment = process.env): Promise<Service> {
  const config = parseConfig(environment);
  log.level = config.logLevel;
  const signalled = stopSignal();
  const parts = createParts(config);
  const metrics = await startMetrics(parts);
  const tracing = startTracing(config);
  const server = await serve(createApp(parts), config, parts.lifecycle);
  log.info({ port: server.port }, 'listening');
  warnIfOpen(config);
  await sleep(headStartMs);
  const database = parts.database();
  database.connect();
  return {
    url: `http://localhost:${server.port}`,
    database,
    stopped: signalled.then((signal) => stop(signal, server, database, config, metrics, tracing)),
  };
}

/** Starts the metrics if there is a port for them. Loaded only then. */
async function startMetrics(parts: Parts): Promise<Metrics | undefined> {
  const { metricsPort } = parts.config;
  if (metricsPort === undefined) return undefined;
  const metrics = require('./metrics/start') as typeof import('./metrics/start');
  return metrics.startMetrics(metricsPort, parts);
}

/** Starts the traces if there is a collector for them. Loaded only then. */
function startTracing({ tracing, mongo }: Config): Tracing | undefined {
  if (!tracing) return undefined;
  const { startTracing } = require('./tracing/start') as typeof import('./tracing/start');
  return startTracing(tracing, mongo.databaseName);
}

async function stop(
  signal: string,
  server: Server,
  database: Database,
  { drainDelayMs, drainTimeoutMs }: Config,
  metrics: Metrics | undefined,
  tracing: Tracing | undefined,
): Promise<void> {
  log.info({ signal }, 'draining');
  await server.drain(drainDelayMs, drainTimeoutMs);
  await database.close();
  await metrics?.close();
  await tracing?.close();
  log.info('stopped');
  await flushLog();
  if (signal === 'SIGHUP') closeTerminal();
}

/** Closes the standard streams: at exit Node resets an open terminal, and aborts if it is gone. */
function closeTerminal(): void {
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch {
      // already closed
    }
  }
}

if (require.main === module) {
  start()
    .then(({ stopped }) => stopped)
    .then(
      () => process.exit(0),
      (error) => {
        console.error(explain(error));
        process.exit(1);
      },
    );
}
