import type { MongoClient } from 'mongodb';
import type { ConnectionState } from '../mongo/client';
import { attemptEnded, attemptRepeated, clientCreated, clientReplaced } from '../mongo/events';
import { errorType } from '../mongo/semantic-conventions';
import { listen } from '../runtime/event';
import type { Registry } from './registry';

// https://opentelemetry.io/docs/specs/semconv/db/database-metrics/

/** In seconds, as the conventions advise. */
const durationBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * Measures operations of MongoDB, its availability and the driver's connections.
 *
 * @param poolSize the most connections that a client opens
 */
export function measureDatabase(
  registry: Registry,
  state: () => ConnectionState,
  poolSize: number,
): (() => void)[] {
  const duration = registry.histogram(
    {
      name: 'db_client_operation_duration_seconds',
      help: 'Duration of operations of MongoDB, each attempt by itself.',
      labels: ['db_operation_name', 'error_type', 'db_system_name'],
    },
    durationBounds,
  );
  const retries = registry.counter({
    name: 'functions_database_retries_total',
    help: 'Operations that were tried again.',
  });
  const reconnections = registry.counter({
    name: 'functions_database_reconnections_total',
    help: 'Clients of MongoDB that were replaced, as they no longer replied.',
  });
  registry.read(
    'gauge',
    {
      name: 'functions_database_reachable',
      help: 'Whether MongoDB is reachable: 1 or 0.',
    },
    () => [[state() === 'reachable' ? 1 : 0]],
  );
  return [
    listen(attemptEnded, ({ name, durationMs, error }) =>
      duration.observe(durationMs / 1000, name, error ? errorType(error) : '', 'mongodb'),
    ),
    listen(attemptRepeated, () => retries.add(1)),
    listen(clientReplaced, () => reconnections.add(1)),
    listen(clientCreated, measurePools(registry, poolSize)),
  ];
}

/** Measures the connections of clients. @returns a function to call with each client */
function measurePools(registry: Registry, poolSize: number): (client: MongoClient) => void {
  const pool = 'db_client_connection_pool_name';
  const timeouts = registry.counter({
    name: 'db_client_connection_timeouts_total',
    help: 'Operations that waited for a connection for too long.',
    labels: [pool],
  });
  timeouts.add(0, 'mongodb');
  const all = { open: 0, used: 0, pending: 0 };
  registry.read(
    'gauge',
    {
      name: 'db_client_connection_count',
      help: 'Connections to MongoDB, without those that the driver monitors it with.',
      labels: [pool, 'db_client_connection_state'],
    },
    () => [
      [all.used, 'mongodb', 'used'],
      [all.open - all.used, 'mongodb', 'idle'],
    ],
  );
  registry.read(
    'gauge',
    {
      name: 'db_client_connection_max',
      help: 'The most connections that are opened.',
      labels: [pool],
    },
    () => [[poolSize, 'mongodb']],
  );
  registry.read(
    'gauge',
    {
      name: 'db_client_connection_pending_requests',
      help: 'Operations that wait for a connection.',
      labels: [pool],
    },
    () => [[all.pending, 'mongodb']],
  );

  return (client) => {
    const own = { open: 0, used: 0, pending: 0 };
    let isOpen = true;
    const count = (what: keyof typeof all, amount: number) => {
      if (!isOpen) return;
      own[what] += amount;
      all[what] += amount;
    };
    client.on('connectionCreated', () => count('open', 1));
    client.on('connectionClosed', () => count('open', -1));
    client.on('connectionCheckOutStarted', () => count('pending', 1));
    client.on('connectionCheckedOut', () => {
      count('pending', -1);
      count('used', 1);
    });
    client.on('connectionCheckOutFailed', ({ reason }) => {
      count('pending', -1);
      if (reason === 'timeout') timeouts.add(1, 'mongodb');
    });
    client.on('connectionCheckedIn', () => count('used', -1));
    client.on('topologyClosed', () => {
      // a connection that hangs may never be given back
      for (const what of ['open', 'used', 'pending'] as const) count(what, -own[what]);
      isOpen = false;
    });
  };
}
