import { setTimeout as sleep } from 'node:timers/promises';
import { emptyTally, standBy, type Target } from './clients';
import { startFakeDatabase } from './fake-database';
import { type Load, loads } from './loads';
import { type Limits, startService, statusOf } from './service';
import { faultsOf, type MemoryRow } from './table';

const limitMs = 90_000;

/** Sends each load to a service of its own. @param only parts of the names of those that are wanted */
export async function measureMemory(limits: Limits, only: string[]): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = [];
  for (const load of loads) {
    if (only.length > 0 && !only.some((part) => load.name.includes(part))) continue;
    const row = await measure(limits, load);
    rows.push(row);
    const faults = faultsOf(row).join(', ') || 'holds';
    console.error(`${load.name}: ${row.peakMiB} MiB, ${row.seconds} s, ${faults}`);
  }
  return rows;
}

async function measure(limits: Limits, { name, database: documents, run }: Load) {
  const database = await startFakeDatabase(limits.node, documents);
  const service = await startService(limits, database.uri);
  const { port, group } = service;
  const tally = emptyTally();
  const restMiB = mebibytes(group.usage());
  const begin = performance.now();
  const signal = AbortSignal.timeout(limitMs);
  const target: Target = { port, tally, signal, freeze: database.freeze, thaw: database.thaw };
  const over = new AbortController();
  try {
    const bystander = standBy(port, tally, over.signal);
    await Promise.race([run(target), sleep(limitMs + 10_000, undefined, { ref: false })]);
    over.abort();
    const seconds = Math.round((performance.now() - begin) / 100) / 10;
    await bystander;
    await sleep(500);
    const row: MemoryRow = {
      name,
      death: service.death(),
      restMiB,
      peakMiB: mebibytes(group.peak()),
      socketsMiB: mebibytes(group.socketPeak()),
      seconds,
      ...tally,
      after: await statusOf(port, '/time'),
    };
    return row;
  } finally {
    over.abort();
    await service.stop();
    await database.stop();
  }
}

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
