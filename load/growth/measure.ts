import { get, post } from '../common/http-connection';
import { exitedChildrenCpuSeconds } from '../common/process-usage';
import { percentile } from '../common/statistics';
import { runWrk } from '../common/wrk';
import type { GrowthDatabase } from './databases';
import { runOpenLoad } from './open-load';
import type { Load } from './parts';
import type { Replicas } from './replicas';
import type { Sample } from './results';

/** Applies a load to replicas, and measures what it costs them and their database. */
export async function measure(
  load: Load,
  replicas: Replicas,
  database: GrowthDatabase,
  seconds: number,
): Promise<Omit<Sample, 'x'>> {
  const usage = () => ({
    service: replicas.cpuSeconds(),
    database: database.cpuSeconds(),
    ownCpu: ownCpuSeconds(),
  });
  // read outside of what is measured, as it takes CPU of each replica
  const writesBefore = await replicas.writes();
  const before = usage();
  const { correct, failed, p95, took } = await run(load, replicas.ports, seconds);
  const after = usage();
  const writesAfter = await replicas.writes();
  const perThousand = (cpuSeconds: number) => (correct === 0 ? null : (cpuSeconds * 1e6) / correct);
  const batches = writesAfter.batches - writesBefore.batches;
  const documents = writesAfter.documents - writesBefore.documents;
  return {
    database: database.name,
    load: load.name,
    rate: correct / took,
    failed,
    p95,
    serviceCpu: perThousand(after.service - before.service),
    databaseCpu:
      after.database === null || before.database === null
        ? null
        : perThousand(after.database - before.database),
    batch: batches === 0 ? null : documents / batches,
    peakMegabytes: replicas.peakMegabytes(),
    loadCores: (after.ownCpu - before.ownCpu) / took,
  };
}

interface Outcome {
  correct: number;
  failed: number;
  p95: number | null;
  /** In seconds. */
  took: number;
}

async function run(load: Load, ports: number[], seconds: number): Promise<Outcome> {
  const { path, request } = load;
  if ('connections' in load) {
    const result = await runWrk(urlsOf(ports, path), request, load.connections, seconds);
    const { correct, incorrect, errors } = result;
    const p95 = correct === 0 ? null : result.p95;
    return { correct, failed: incorrect + errors, p95, took: result.seconds };
  }
  const { body, status } = request;
  const bytes = Buffer.from(body === undefined ? get(path) : post(Buffer.from(body)));
  const open = await runOpenLoad(ports, bytes, status, load.rate, seconds);
  const { latencies, failed } = open;
  const p95 = percentile(latencies, 95);
  return { correct: latencies.length, failed, p95, took: open.seconds };
}

/** The URLs of a path on servers on these ports. */
export const urlsOf = (ports: number[], path: string) =>
  ports.map((port) => `http://127.0.0.1:${port}${path}`);

/** CPU time that this process and its children that have exited used, in seconds. */
function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + exitedChildrenCpuSeconds();
}
