import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { compileBuiltService } from '../common/built-service';
import { exitAfter } from '../common/exit';
import { startServer } from '../common/server-process';
import { type BenchDatabase, openBenchDatabase, page } from './bench-database';
import {
  type ColdStartResults,
  coldStartChart,
  coldStartRatios,
  coldStartReport,
} from './cold-report';
import { bare, type Contender, contenders } from './contenders';
import { createCpuQuota } from './cpu-quota';
import { firstResponse } from './first-response';
import { prepare } from './prepare';
import { type Route, routes } from './routes';
import { versions } from './versions';
import { writeReport } from './write-report';

const { time, post } = routes(page.next);

/** `npm run bench:cold`: measures cold starts, on the MongoDB at `MONGODB_URI`. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } });
  const runs = Number(values.runs);
  const uri = process.env.MONGODB_URI ?? '';
  const client = new MongoClient(uri);
  const database = openBenchDatabase(client, uri, `bench-${process.pid}`);
  const participants = prepare(contenders);
  compileBuiltService();
  const halfCore = createHalfCoreQuota();
  const results: ColdStartResults = { versions: await versions(uri), runs, starts: [] };
  try {
    await database.reset();
    for (let run = 1; run <= runs; run++) {
      console.error(`run ${run} of ${runs}`);
      for (const cgroup of halfCore ? [undefined, halfCore] : [undefined]) {
        const quota = cgroup ? 'half a core' : 'none';
        const add = async (contender: Contender, route: Route) => {
          const ms = await measureStart(contender, route, database, cgroup);
          results.starts.push({ contender: contender.name, route: route.name, quota, ms });
        };
        await add(bare, time);
        for (const contender of participants) {
          await add(contender, time);
          await add(contender, post);
        }
      }
    }
  } finally {
    await database.drop();
    await client.close();
  }
  const text = coldStartReport(results);
  console.log(text);
  console.log(JSON.stringify(coldStartRatios(results)));
  writeReport('cold', results, text, coldStartChart(results));
}

/** @returns the time from the start of the process to its first correct response, in ms */
async function measureStart(
  contender: Contender,
  route: Route,
  database: BenchDatabase,
  cgroup?: string,
): Promise<number> {
  const process = await startServer(contender, database, cgroup);
  const ms = await firstResponse(process, route);
  await process.stop();
  await sleep(100); // one period of the quota, so that the next start gets a full one
  return ms;
}

function createHalfCoreQuota(): string | undefined {
  try {
    return createCpuQuota(0.5);
  } catch (error) {
    console.error(`skipping cold starts with half a core: ${(error as Error).message}`);
    return undefined;
  }
}

exitAfter(main());
