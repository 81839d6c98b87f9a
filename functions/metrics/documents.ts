import { batchSent, readSent } from '../documents/events';
import { limitsCreated } from '../http/events';
import type { BodyLimits } from '../http/request-body';
import { listen } from '../runtime/event';
import type { Registry } from './registry';

/** Measures what requests share, and the memory that they wait for. */
export function measureDocuments(registry: Registry, budgetBytes: number): (() => void)[] {
  const batches = registry.histogram(
    {
      name: 'functions_batch_documents',
      help: 'Documents that are written by one command.',
    },
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000],
  );
  const readers = registry.histogram(
    {
      name: 'functions_query_readers',
      help: 'Requests that share one query.',
    },
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  );

  let limits: BodyLimits | undefined;
  const usage = () => limits?.memory.usage() ?? { bytes: 0, waiting: 0 };
  registry.read(
    'gauge',
    {
      name: 'functions_memory_admitted_bytes',
      help: 'Memory that is reserved for the requests in flight.',
    },
    () => [[usage().bytes]],
  );
  registry.read(
    'gauge',
    {
      name: 'functions_memory_budget_bytes',
      help: 'Memory that all requests in flight may have reserved: MEMORY_BUDGET_BYTES.',
    },
    () => [[budgetBytes]],
  );
  registry.read(
    'gauge',
    {
      name: 'functions_memory_waiting_requests',
      help: 'Requests that wait for memory.',
    },
    () => [[usage().waiting]],
  );
  registry.read(
    'gauge',
    {
      name: 'functions_memory_waiting_bytes',
      help: 'Memory that these requests wait for.',
    },
    () => [[limits?.memory.waitingBytes() ?? 0]],
  );
  registry.read(
    'gauge',
    {
      name: 'functions_large_bodies_admitted_bytes',
      help: 'Bodies above 4 KiB that are parsed and written at the moment.',
    },
    () => [[limits?.largeBodies.usage().bytes ?? 0]],
  );
  return [
    listen(batchSent, ({ size }) => batches.observe(size)),
    listen(readSent, ({ size }) => readers.observe(size)),
    listen(limitsCreated, (created) => {
      limits = created;
    }),
  ];
}
