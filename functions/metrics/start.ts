import { hostname } from 'node:os';
import { version } from '../../package.json';
import type { Database } from '../mongo/database';
import type { Lifecycle } from '../runtime/lifecycle';
import { log } from '../runtime/log';
import { measureAuth } from './auth';
import { measureDatabase } from './database';
import { measureDocuments } from './documents';
import { measureHttp } from './http';
import { measureProcess } from './process';
import { contentType, createRegistry } from './registry';
import { type MetricsServer, serveMetrics } from './server';

/** What the metrics are about. */
export interface Measured {
  config: { memoryBudgetBytes: number; mongo: { poolSize: number } };
  lifecycle: Lifecycle;
  database(): Database;
}

/** Metrics that are being collected and served. */
export interface Metrics {
  /** Undefined if the port could not be opened. */
  port: number | undefined;
  /** Stops both. */
  close(): Promise<void>;
}

/**
 * Starts to measure, and to serve the metrics. The service runs without them if the port can't be had,
 * which is logged.
 *
 * @param port 0 for any that is free
 */
export async function startMetrics(
  port: number,
  { config, lifecycle, database }: Measured,
): Promise<Metrics> {
  const registry = createRegistry();
  const { mongo, memoryBudgetBytes } = config;
  registry.read(
    'gauge',
    {
      name: 'target_info',
      help: 'The process.',
      labels: ['service_name', 'service_version', 'service_instance_id'],
    },
    () => [[1, 'functions', process.env.REVISION || version, hostname()]],
  );
  registry.read(
    'gauge',
    { name: 'functions_ready', help: 'Whether the replica is ready: 1 or 0, as /readyz says.' },
    () => [[!lifecycle.draining && database().state() !== 'connecting' ? 1 : 0]],
  );
  const endings = [
    ...measureHttp(registry),
    ...measureDocuments(registry, memoryBudgetBytes),
    ...measureDatabase(registry, () => database().state(), mongo.poolSize),
    ...measureAuth(registry),
    ...measureProcess(registry),
  ];
  let server: MetricsServer | undefined;
  try {
    server = await serveMetrics(port, registry.text, contentType);
    log.info({ port: server.port }, 'serving metrics');
  } catch (err) {
    log.error({ err }, 'metrics are not served: set METRICS_PORT to a port that is free');
  }
  return {
    port: server?.port,
    async close() {
      for (const end of endings) end();
      await server?.close();
    },
  };
}
