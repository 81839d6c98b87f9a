import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { limitCpu } from './cgroup';
import { type ColdReport, markdown, plot, ratios } from './cold-table';
import { openStore, page, type Store } from './collection';
import { bare, type Contender, contenders, own } from './contenders';
import { prepare } from './prepare';
import { firstAnswer, start } from './processes';
import { type Route, routes } from './routes';
import { versions } from './versions';
import { write } from './write';

const [time, post] = routes(page.next);

const cache = mkdtempSync(join(tmpdir(), 'bench-'));
process.on('exit', () => rmSync(cache, { recursive: true, force: true }));

/** The service with Node's cache of compiled code, which an earlier start has filled. */
const cached: Contender = {
  ...own,
  name: 'this, compile cache',
  env: { ...own.env, NODE_COMPILE_CACHE: cache },
};

/** Starts every contender again and again, on the database that `MONGODB_URI` names. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } });
  const runs = Number(values.runs);
  const uri = process.env.MONGODB_URI ?? '';
  const client = new MongoClient(uri);
  const store = openStore(client, uri, `bench-${process.pid}`);
  const entrants = [...prepare(contenders), cached];
  const cgroup = halfCore();
  const report: ColdReport = { versions: await versions(uri), runs, starts: [] };
  try {
    await store.reset();
    await spawnToAnswer(cached, post, store, undefined, 'SIGTERM');
    for (let run = 1; run <= runs; run++) {
      console.error(`run ${run} of ${runs}`);
      for (const group of cgroup ? [undefined, cgroup] : [undefined]) {
        const quota = group ? 'half a core' : 'none';
        const add = async (contender: Contender, route: Route) => {
          const ms = await spawnToAnswer(contender, route, store, group);
          report.starts.push({ contender: contender.name, route: route.name, quota, ms });
        };
        await add(bare, time);
        for (const contender of entrants) {
          await add(contender, time);
          await add(contender, post);
        }
      }
    }
  } finally {
    await store.drop();
    await client.close();
  }
  const text = markdown(report);
  console.log(text);
  console.log(JSON.stringify(ratios(report)));
  write('cold', report, text, plot(report));
}

/** @returns the time from a process's start to its first right answer, in ms */
async function spawnToAnswer(
  contender: Contender,
  route: Route,
  store: Store,
  cgroup?: string,
  signal?: NodeJS.Signals,
): Promise<number> {
  const running = await start(contender, store, cgroup);
  const ms = await firstAnswer(running, route);
  await running.stop(signal);
  await sleep(100); // a quota's next period, which this start has not used of
  return ms;
}

function halfCore(): string | undefined {
  try {
    return limitCpu(0.5);
  } catch (error) {
    console.error(`Starts with half a core are skipped: ${(error as Error).message}`);
    return undefined;
  }
}

main().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
