import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  emptyCollection,
  findVariants,
  type Variant,
  type VariantName,
  variantNames,
} from '../common/cluster';
import { findK6, k6VersionOf } from '../common/k6';
import { perSecond } from '../common/k6-samples';
import { sample } from '../common/run-and-read';
import { readTestEnvironment } from '../common/test-environment';
import { compareReport } from './compare-report';
import type { Comparison, Run } from './comparison';
import { measure, type Times } from './measures';
import { comparePicture } from './picture';
import { type ClusterWatch, watchCluster } from './watch-cluster';

// `npm run compare`: sends the same spike to both variants, from the same initial state, and writes a
// report. With the argument `report` it only makes the report again, from the last results.
const folder = join(__dirname, 'report');
const resultsFile = join(folder, 'samples.json');

// The settings of spike.js, unless the environment overrides them: more load than two replicas can take.
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

const rounds: { round: string; reuse: boolean; order: VariantName[] }[] = [
  { round: 'first run', reuse: false, order: ['knative', 'hpa'] },
  { round: 'second run', reuse: false, order: ['hpa', 'knative'] },
  { round: 'connections reused', reuse: true, order: ['knative', 'hpa'] },
];

async function runComparison(): Promise<Comparison> {
  const k6 = await findK6(log);
  const k6Version = await k6VersionOf(k6);
  const variants = await findVariants();
  const setup = await readTestEnvironment();
  const date = new Date().toISOString();
  const runs: Run[] = [];
  const watch = await watchCluster();
  try {
    for (const { round, reuse, order } of rounds) {
      for (const name of order) {
        const variant = variants.find((known) => known.name === name) as Variant;
        await emptyCollection();
        await settle(watch);
        log(`${name}, ${round}: ${seconds()} s of load`);
        const run = {
          ...{ variant: name, round, reuse },
          ...(await runSpike(k6, variant, reuse, watch)),
        };
        log(JSON.stringify(run.measures));
        runs.push(run);
      }
    }
  } finally {
    watch.stop();
  }
  return { date, k6: k6Version, setup, settings, runs };
}

/** Waits until both variants have had exactly two replicas for half a minute. */
async function settle({ replicas }: ClusterWatch): Promise<void> {
  log('waiting until both variants have settled at 2 replicas');
  const isSettled = (name: VariantName) => {
    const last = replicas[name].at(-1);
    if (!last) return false;
    const { at, desired, ready, pods } = last;
    return desired === 2 && ready === 2 && pods === 2 && Date.now() - at > 30_000;
  };
  for (let waited = 0; !variantNames.every(isSettled); waited++) {
    if (waited === 600) {
      const now = variantNames.map((name) => `${name}: ${JSON.stringify(replicas[name].at(-1))}`);
      throw new Error(`The variants did not settle at 2 replicas in 10 minutes: ${now.join(', ')}`);
    }
    await sleep(1000);
  }
}

/** Runs spike.js on one variant. */
async function runSpike(k6: string, variant: Variant, reuse: boolean, watch: ClusterWatch) {
  const { name, url, host } = variant;
  const samples = await sample(k6, 'spike.js', {
    ...settings,
    BASE_URL: url,
    HOST: host,
    K6_NO_CONNECTION_REUSE: String(!reuse),
  });
  const times = phasesFrom(samples.requests[0]?.start ?? 0);
  const isDuringRun = ({ at }: { at: number }) => at >= times.begin && at <= times.end;
  const initial = watch.replicas[name].findLast(({ at }) => at < times.begin);
  const replicas = [...(initial ? [initial] : []), ...watch.replicas[name].filter(isDuringRun)];
  return {
    times,
    measures: measure(samples, replicas, times),
    seconds: perSecond(samples, times.begin, seconds()),
    replicas,
    cpu: watch.cpu[name].filter(isDuringRun),
  };
}

/** The phases of a run, from the stages of spike.js. */
function phasesFrom(begin: number): Times {
  const spike = begin + 1000 * seconds('WARM_UP');
  const fall = spike + 1000 * seconds('RISE', 'HOLD');
  return { begin, spike, fall, end: begin + 1000 * seconds() };
}

/** The duration of some stages, or of all of them. */
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

function log(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

async function main([task]: string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (task !== 'report') {
    await writeFile(resultsFile, `${JSON.stringify(await runComparison())}\n`);
  }
  const comparison: Comparison = JSON.parse(await readFile(resultsFile, 'utf8'));
  const page = join(folder, 'index.html');
  await writeFile(page, compareReport(comparison));
  await writeFile(join(folder, 'picture.svg'), comparePicture(comparison));
  console.log(`The report is ${page}. Beside it are a picture and the data, samples.json.`);
}

main(process.argv.slice(2)).then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
