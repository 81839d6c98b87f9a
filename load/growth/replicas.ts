import { setTimeout as sleep } from 'node:timers/promises';
import { builtService } from '../common/built-service';
import { cpuSeconds, residentMegabytes } from '../common/process-usage';
import { type ServerProcess, startServer } from '../common/server-process';

/** The replicas' metrics have ports from here on: below those that the system gives out, so no server gets one. */
const firstMetricsPort = 19_464;

/** What replicas have written so far. */
export interface Writes {
  documents: number;
  /** The commands that wrote them. */
  batches: number;
}

/** Processes of the built service, as replicas in front of one database. */
export interface Replicas {
  ports: number[];
  /** CPU time of all of them so far, in seconds. */
  cpuSeconds(): number;
  /** The most resident memory that each of them ever had, summed up, in MB. */
  peakMegabytes(): number;
  /** What Prometheus would read of their batches. */
  writes(): Promise<Writes>;
  stop(): Promise<void>;
}

/**
 * Starts replicas, and waits until they are ready.
 *
 * @param uri of the database server
 * @param database name of the database
 * @throws Error with the end of its output, when one of them exits
 */
export async function startReplicas(
  count: number,
  uri: string,
  database: string,
): Promise<Replicas> {
  const replicas = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const metricsPort = firstMetricsPort + i;
      const env = { ...builtService.env, METRICS_PORT: `${metricsPort}` };
      const process = await startServer({ ...builtService, env }, { uri, database });
      await untilReady(process);
      return { process, metricsPort };
    }),
  );
  const total = (of: (pid: number) => number) =>
    replicas.reduce((sum, { process }) => sum + of(process.pid), 0);
  return {
    ports: replicas.map(({ process }) => process.port),
    cpuSeconds: () => total(cpuSeconds),
    peakMegabytes: () => total((pid) => residentMegabytes(pid, 'VmHWM')),
    async writes() {
      const writes = { documents: 0, batches: 0 };
      for (const { metricsPort } of replicas) {
        const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
        const text = await response.text();
        writes.documents += metricOf('functions_batch_documents_sum', text);
        writes.batches += metricOf('functions_batch_documents_count', text);
      }
      return writes;
    },
    async stop() {
      await Promise.all(replicas.map(({ process }) => process.stop()));
    },
  };
}

async function untilReady(process: ServerProcess): Promise<void> {
  while (!(await isReady(process.port))) {
    process.assertRunning();
    await sleep(20);
  }
}

function isReady(port: number): Promise<boolean> {
  const signal = AbortSignal.timeout(5000);
  return fetch(`http://127.0.0.1:${port}/readyz`, { signal }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** @returns the value of a metric without labels in the exposition format of Prometheus */
function metricOf(metric: string, exposition: string): number {
  return Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(exposition)?.[1] ?? Number.NaN);
}
