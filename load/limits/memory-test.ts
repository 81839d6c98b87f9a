import { setTimeout as sleep } from 'node:timers/promises';
import { emptyTally, type ServiceUnderTest, startBystander } from './client-behavior';
import { startFakeMongodb } from './fake-mongodb';
import { type Limits, startLimitedService, statusOf } from './limited-service';
import { type MemoryResult, memoryFaults } from './limits-report';
import { type Scenario, scenarios } from './scenarios';

const timeoutMs = 90_000;

/**
 * Runs each scenario against a new service and measures its memory.
 *
 * @param only substrings of the names of the scenarios to run; all of them when empty
 */
export async function testMemory(limits: Limits, only: string[]): Promise<MemoryResult[]> {
  const results: MemoryResult[] = [];
  for (const scenario of scenarios) {
    if (only.length > 0 && !only.some((part) => scenario.name.includes(part))) continue;
    const result = await runScenario(limits, scenario);
    results.push(result);
    const faults = memoryFaults(result).join(', ') || 'passed';
    console.error(`${scenario.name}: ${result.peakMiB} MiB, ${result.seconds} s, ${faults}`);
  }
  return results;
}

async function runScenario(
  limits: Limits,
  { name, database: content, run }: Scenario,
): Promise<MemoryResult> {
  const database = await startFakeMongodb(limits.node, content);
  const service = await startLimitedService(limits, database.uri);
  const { port, cgroup } = service;
  const tally = emptyTally();
  const idleMiB = toMiB(cgroup.usage());
  const startedAt = performance.now();
  const underTest: ServiceUnderTest = {
    port,
    tally,
    freezeDatabase: database.freeze,
    unfreezeDatabase: database.unfreeze,
    signal: AbortSignal.timeout(timeoutMs),
  };
  const over = new AbortController();
  try {
    const bystander = await startBystander(port, tally, over.signal);
    await Promise.race([run(underTest), sleep(timeoutMs + 10_000, undefined, { ref: false })]);
    over.abort();
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    await bystander.stopped;
    await sleep(500);
    const result: MemoryResult = {
      name,
      death: service.death(),
      restMiB: idleMiB,
      peakMiB: toMiB(cgroup.peak()),
      socketsMiB: toMiB(cgroup.socketPeak()),
      seconds,
      ...tally,
      after: await statusOf(port, '/time'),
    };
    return result;
  } finally {
    over.abort();
    await service.stop();
    await database.stop();
  }
}

const toMiB = (bytes: number) => Math.round(bytes / 2 ** 20);
