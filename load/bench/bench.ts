import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { compileBuiltService } from '../common/built-service';
import { exitAfter } from '../common/exit';
import { cpuSeconds, exitedChildrenCpuSeconds, residentMegabytes } from '../common/process-usage';
import { type ServerProcess, startServer } from '../common/server-process';
import { assertWrk, runWrk, type WrkResult } from '../common/wrk';
import { type BenchDatabase, openBenchDatabase, page } from './bench-database';
import { benchChart, benchRatios, benchReport } from './bench-report';
import { checkResponses } from './check-responses';
import { type Contender, contenders, raw } from './contenders';
import { firstResponse } from './first-response';
import { prepare } from './prepare';
import type { BenchResults, Sample } from './results';
import { type Route, routes, urlOf } from './routes';
import { versions } from './versions';
import { writeReport } from './write-report';

/** A contender that runs in this round, on its own database. */
interface Participant {
  process: ServerProcess<Contender>;
  database: BenchDatabase;
}

const requests = routes(page.next);
const { post } = requests;
const allRoutes = Object.values(requests);
const warmUpConnections = 10;
const faults: string[] = [];

/** `npm run bench`: measures all contenders in rounds, on the MongoDB at `MONGODB_URI`. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  const { quick } = values;
  const rounds = Number(values.rounds ?? (quick ? 1 : 5));
  const seconds = Number(values.seconds ?? (quick ? 1 : 3));
  const connections = (values.connections ?? (quick ? '1,50' : '1,8,50,200'))
    .split(',')
    .map(Number)
    .toSorted((a, b) => a - b);

  assertWrk();
  const uri = process.env.MONGODB_URI ?? '';
  const client = new MongoClient(uri);
  const only = values.only.split(',');
  const wanted = contenders.filter(
    (contender) => contender === raw || only.some((part) => contender.name.includes(part)),
  );
  const entries = prepare(wanted).map((contender, n) => ({
    contender,
    database: openBenchDatabase(client, uri, `bench-${process.pid}-${n}`),
  }));
  compileBuiltService();
  const results: BenchResults = {
    versions: await versions(uri),
    rounds,
    seconds,
    connections,
    samples: [],
    faults,
  };
  try {
    for (let round = 1; round <= rounds; round++) {
      const participants = await Promise.all(
        entries.map(async ({ contender, database }) => {
          const process = await startServer(contender, database);
          for (const route of allRoutes) await firstResponse(process, route);
          if (round === 1) faults.push(...(await checkResponses(process, requests, database)));
          return { process, database };
        }),
      );
      await warmUp(participants, quick ? 1 : 5);
      await measureRound(round, participants, results);
      await Promise.all(participants.map(({ process }) => process.stop()));
      entries.push(...entries.splice(0, 1));
    }
  } finally {
    for (const { database } of entries) await database.drop();
    await client.close();
  }

  const text = benchReport(results);
  console.log(text);
  if (quick) console.log(JSON.stringify(benchRatios(results)));
  else writeReport('bench', results, text, benchChart(results));
  if (faults.length > 0) process.exitCode = 1;
}

/** Loads all contenders at once, with one request after the other. */
async function warmUp(participants: Participant[], seconds: number): Promise<void> {
  for (const route of allRoutes) {
    await Promise.all(participants.map(({ database }) => database.reset()));
    await Promise.all(
      participants.map(async ({ process }) => {
        const result = await runWrk([urlOf(process, route)], route, warmUpConnections, seconds);
        await settle(result, warmUpConnections);
      }),
    );
  }
}

/** Waits until the requests that were in flight at the end of a load should be done. */
async function settle({ correct, seconds }: WrkResult, connections: number): Promise<void> {
  await sleep(Math.min(10_000, (1000 * connections * seconds) / correct) + 50);
}

async function measureRound(
  round: number,
  participants: Participant[],
  results: BenchResults,
): Promise<void> {
  for (const connections of results.connections) {
    if (connections > warmUpConnections) await fillPools(participants, connections);
    for (const route of allRoutes) {
      for (const participant of participants) {
        const sample = await measure(participant, route, connections, results.seconds);
        results.samples.push({ round, ...sample });
      }
    }
  }
}

/** Makes contenders fill their connection pools before they are measured: each login takes time. */
async function fillPools(participants: Participant[], connections: number): Promise<void> {
  for (const { process } of participants) {
    await settle(await runWrk([urlOf(process, post)], post, connections, 1), connections);
  }
}

async function measure(
  { process, database }: Participant,
  route: Route,
  connections: number,
  seconds: number,
): Promise<Omit<Sample, 'round'>> {
  const { pid, server } = process;
  if (route === requests.post || route === requests.read) await database.reset();

  const cpuBefore = cpuSeconds(pid);
  const wrkCpuBefore = exitedChildrenCpuSeconds();
  const result = await runWrk([urlOf(process, route)], route, connections, seconds);
  const cpu = cpuSeconds(pid) - cpuBefore;
  const resident = residentMegabytes(pid, 'VmRSS');
  const wrkCpu = exitedChildrenCpuSeconds() - wrkCpuBefore;
  process.assertRunning();

  await settle(result, connections);

  const { correct, incorrect, errors } = result;
  const where = `${server.name}, ${route.name}, ${connections} connections`;
  if (incorrect + errors > 0) {
    faults.push(`${where}: ${incorrect} incorrect responses, ${errors} connection errors`);
  }
  if (route.name === 'POST /data') {
    const stored = await database.countWrites();
    if (stored < correct || stored > correct + connections) {
      faults.push(`${where}: ${correct} writes acknowledged, ${stored} stored`);
    }
  }
  const rate = correct / result.seconds;
  console.error(`${where}: ${Math.round(rate)} requests/s`);
  return {
    contender: server.name,
    route: route.name,
    connections,
    rate,
    p50: result.p50,
    p99: result.p99,
    cpuPerThousand: (cpu / correct) * 1000,
    residentMegabytes: resident,
    peakMegabytes: residentMegabytes(pid, 'VmHWM'),
    loadCores: wrkCpu / result.seconds,
  };
}

exitAfter(main());
