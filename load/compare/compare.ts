import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyCollection, findVariants, type Name, names, type Variant } from '../shared/cluster';
import { findK6, k6VersionOf } from '../shared/k6';
import { perSecond } from '../shared/k6-samples';
import { sample } from '../shared/run-and-read';
import { readSetup } from '../shared/setup';
import { report } from './compare-report';
import type { Comparison, Run } from './comparison';
import { measure, type Times } from './measures';
import { type Watch, watchCluster } from './watch';

// `npm run compare`: the same spike on both variants, from the same start, and a page of what it did.
// With the argument `report` the page is made anew from what was seen last.
const folder = join(__dirname, 'report');
const samples = join(folder, 'samples.json');

// Of spike.js, each replaced by the environment's: enough that two replicas are too few for it.
const defaults = {
  RATE: '20',
  PEAK: '1500',
  WARM_UP: '20s',
  RISE: '5s',
  HOLD: '75s',
  FALL: '5s',
  QUIET: '120s',
  MIX: '17:2:1',
  VUS: '300',
};
const settings: Record<string, string> = Object.fromEntries(
  Object.entries(defaults).map(([name, value]) => [name, process.env[name] ?? value]),
);

const rounds: { round: string; reuse: boolean; order: Name[] }[] = [
  { round: 'first run', reuse: false, order: ['knative', 'hpa'] },
  { round: 'second run', reuse: false, order: ['hpa', 'knative'] },
  { round: 'connections reused', reuse: true, order: ['knative', 'hpa'] },
];

async function compare(): Promise<Comparison> {
  const k6 = await findK6(say);
  const k6Version = await k6VersionOf(k6);
  const variants = await findVariants();
  const setup = await readSetup();
  const date = new Date().toISOString();
  const runs: Run[] = [];
  const watch = await watchCluster();
  try {
    for (const { round, reuse, order } of rounds) {
      for (const name of order) {
        const variant = variants.find((known) => known.name === name) as Variant;
        await emptyCollection();
        await settle(watch);
        say(`${name}, ${round}: ${seconds()} s of load`);
        const run = { variant: name, round, reuse, ...(await spike(k6, variant, reuse, watch)) };
        say(JSON.stringify(run.measures));
        runs.push(run);
      }
    }
  } finally {
    watch.stop();
  }
  return { date, k6: k6Version, setup, settings, runs };
}

/** Waits until both variants have had two replicas, and no more pods, for half a minute. */
async function settle({ replicas }: Watch): Promise<void> {
  say('waiting until both variants have settled at 2 replicas');
  const settled = (name: Name) => {
    const last = replicas[name].at(-1);
    if (!last) return false;
    const { at, desired, ready, pods } = last;
    return desired === 2 && ready === 2 && pods === 2 && Date.now() - at > 30_000;
  };
  for (let waited = 0; !names.every(settled); waited++) {
    if (waited === 600) {
      const now = names.map((name) => `${name}: ${JSON.stringify(replicas[name].at(-1))}`);
      throw new Error(`The variants did not settle at 2 replicas in 10 minutes: ${now.join(', ')}`);
    }
    await sleep(1000);
  }
}

/** Runs the spike on one variant. */
async function spike(k6: string, variant: Variant, reuse: boolean, watch: Watch) {
  const { name, url, host } = variant;
  const sent = await sample(k6, 'spike.js', {
    ...settings,
    BASE_URL: url,
    HOST: host,
    K6_NO_CONNECTION_REUSE: String(!reuse),
  });
  const times = timesFrom(sent.requests[0]?.start ?? 0);
  const within = ({ at }: { at: number }) => at >= times.begin && at <= times.end;
  const cut = <T extends { at: number }>(entries: T[]) => {
    const before = entries.findLast(({ at }) => at < times.begin);
    return [...(before ? [before] : []), ...entries.filter(within)];
  };
  const replicas = cut(watch.replicas[name]);
  return {
    times,
    measures: measure(sent, replicas, times),
    seconds: perSecond(sent, times.begin, seconds()),
    replicas,
    cpu: watch.cpu[name].filter(within),
  };
}

/** When what happens in a run, by the stages of spike.js. */
function timesFrom(begin: number): Times {
  const spike = begin + 1000 * seconds('WARM_UP');
  const fall = spike + 1000 * seconds('RISE', 'HOLD');
  return { begin, spike, fall, end: begin + 1000 * seconds() };
}

/** The seconds of some stages, or of all. */
function seconds(...stages: string[]): number {
  const counted = stages.length > 0 ? stages : ['WARM_UP', 'RISE', 'HOLD', 'FALL', 'QUIET'];
  const units = { h: 3600, m: 60, s: 1 };
  const parts = counted.flatMap((stage) => [
    ...(settings[stage] ?? '').matchAll(/([\d.]+)([hms])/g),
  ]);
  return parts.reduce((sum, [, count, unit]) => {
    return sum + Number(count) * units[unit as keyof typeof units];
  }, 0);
}

function say(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

async function main([task]: string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (task !== 'report') await writeFile(samples, `${JSON.stringify(await compare())}\n`);
  const page = join(folder, 'index.html');
  await writeFile(page, report(JSON.parse(await readFile(samples, 'utf8'))));
  console.log(`The report is ${page}, and what it was made of is beside it.`);
}

main(process.argv.slice(2)).then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
