import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { checkAnswers } from './answers';
import { openStore, page, type Store } from './collection';
import { contenders, raw } from './contenders';
import type { Report, Sample } from './measurements';
import { findWrk, prepare } from './prepare';
import { cpuSeconds, endedChildrenSeconds, megabytes } from './proc';
import { firstAnswer, type Running, start } from './processes';
import { type Route, routes } from './routes';
import { markdown, plot, ratios } from './table';
import { versions } from './versions';
import { write } from './write';
import { type Load, load } from './wrk';

interface Contest {
  running: Running;
  store: Store;
}

const all = routes(page.next);
const [, post] = all;
const warmUpConnections = 10;
const faults: string[] = [];

/** Measures all contenders in rounds, on the database that `MONGODB_URI` names. */
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

  findWrk();
  const uri = process.env.MONGODB_URI ?? '';
  const client = new MongoClient(uri);
  const only = values.only.split(',');
  const wanted = contenders.filter(
    (contender) => contender === raw || only.some((part) => contender.name.includes(part)),
  );
  const entrants = prepare(wanted).map((contender, n) => ({
    contender,
    store: openStore(client, uri, `bench-${process.pid}-${n}`),
  }));
  const report: Report = {
    versions: await versions(uri),
    rounds,
    seconds,
    connections,
    samples: [],
    faults,
  };
  try {
    for (let round = 1; round <= rounds; round++) {
      const contest = await Promise.all(
        entrants.map(async ({ contender, store }) => {
          const running = await start(contender, store);
          for (const route of all) await firstAnswer(running, route);
          if (round === 1) faults.push(...(await checkAnswers(running, all, store)));
          return { running, store };
        }),
      );
      await warmUp(contest, quick ? 1 : 5);
      await measureRound(round, contest, report);
      await Promise.all(contest.map(({ running }) => running.stop()));
      entrants.push(...entrants.splice(0, 1));
    }
  } finally {
    for (const { store } of entrants) await store.drop();
    await client.close();
  }

  const text = markdown(report);
  console.log(text);
  if (quick) console.log(JSON.stringify(ratios(report)));
  else write('bench', report, text, plot(report));
  if (faults.length > 0) process.exitCode = 1;
}

/** Loads all contenders with every request, all at once, for a while each. */
async function warmUp(contest: Contest[], seconds: number): Promise<void> {
  for (const route of all) {
    await Promise.all(contest.map(({ store }) => store.reset()));
    await Promise.all(
      contest.map(async ({ running }) => {
        const got = await load(running.url(route), route, warmUpConnections, seconds);
        await settle(got, warmUpConnections);
      }),
    );
  }
}

/** Waits as long as the requests take that were under way when a load ended. */
async function settle({ right, seconds }: Load, connections: number): Promise<void> {
  await sleep(Math.min(10_000, (1000 * connections * seconds) / right) + 50);
}

async function measureRound(round: number, contest: Contest[], report: Report): Promise<void> {
  for (const connections of report.connections) {
    if (connections > warmUpConnections) await fillPools(contest, connections);
    for (const route of all) {
      for (const { running, store } of contest) {
        const sample = await measure(running, route, connections, report.seconds, store);
        report.samples.push({ round, ...sample });
      }
    }
  }
}

/** Has contenders open the connections to the database that they will use: each costs a login. */
async function fillPools(contest: Contest[], connections: number): Promise<void> {
  for (const { running } of contest) {
    await settle(await load(running.url(post), post, connections, 1), connections);
  }
}

async function measure(
  running: Running,
  route: Route,
  connections: number,
  seconds: number,
  store: Store,
): Promise<Omit<Sample, 'round'>> {
  const { name } = running.contender;
  if (route.name !== 'GET /time') await store.reset();

  const usedBefore = cpuSeconds(running.pid);
  const loadBefore = endedChildrenSeconds();
  const got = await load(running.url(route), route, connections, seconds);
  const used = cpuSeconds(running.pid) - usedBefore;
  const resident = megabytes(running.pid, 'VmRSS');
  const loadUsed = endedChildrenSeconds() - loadBefore;
  running.assertRuns();

  await settle(got, connections);

  const where = `${name}, ${route.name}, ${connections} connections`;
  if (got.wrong + got.broken > 0) {
    faults.push(`${where}: ${got.wrong} wrong answers, ${got.broken} connections broken`);
  }
  if (route.name === 'POST /data') {
    const written = await store.written();
    if (written < got.right || written > got.right + connections) {
      faults.push(`${where}: ${got.right} writes acknowledged, ${written} stored`);
    }
  }
  const rate = got.right / got.seconds;
  console.error(`${where}: ${Math.round(rate)}/s`);
  return {
    contender: name,
    route: route.name,
    connections,
    rate,
    p50: got.p50,
    p99: got.p99,
    cpuPerThousand: (used / got.right) * 1000,
    residentMegabytes: resident,
    peakMegabytes: megabytes(running.pid, 'VmHWM'),
    loadCores: loadUsed / got.seconds,
  };
}

main().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
