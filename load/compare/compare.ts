import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyCollection, findVariants } from '../common/cluster';
import { type Deployed, readDeployed } from '../common/deployed';
import { exitAfter } from '../common/exit';
import { interruption } from '../common/interruption';
import { findK6, k6VersionOf } from '../common/k6';
import { randomFrom } from '../common/random';
import { deploySlowDatabase, removeSlowDatabase } from '../common/slow-database';
import { readTestEnvironment, type TestEnvironment } from '../common/test-environment';
import { compareReport } from './compare-report';
import type { Comparison, Run } from './comparison';
import { chooseLoads, type Load } from './loads';
import { comparePicture } from './picture';
import { folder, keepLast, readExperiments, readLast, writeLast } from './results';
import { runSpike } from './spike';
import { chooseSubjects, readSettings, type Subject } from './subjects';
import { putBack, takeAway } from './take-away';
import { flawOf } from './validity';
import { createHpa, deploy, remove } from './workload';

// `npm run compare`: puts this service and its peers under the same spikes, on Knative and with an HPA, and
// writes a report. `npm run compare -- continue` goes on after an interruption; `report` only makes the
// report again.

const attempts = 3;

/**
 * How long new replicas idle before k6 starts. With its warm-up that is a minute: Knative averages over as
 * much, and over less while a revision is younger. The HPA is created after it: otherwise it would mistake the
 * CPU of their start for load, add replicas, and keep them.
 */
const settleMs = 52_000;

/**
 * The runs of an experiment, in random order: round by round, so that drift meets all alike. Each begins at
 * a random moment of the HPA's loop of 15 s.
 */
function plan({ loads, subjects, settings }: Comparison) {
  const random = randomFrom(settings.seed);
  const cells = loads.flatMap((load) => subjects.map((subject) => ({ load, subject })));
  return Array.from({ length: settings.rounds }, (_, i) =>
    random
      .shuffle(cells)
      .map((cell) => ({ ...cell, round: i + 1, delayMs: random.between(0, 15_000) })),
  ).flat();
}

async function prepare(k6: string): Promise<Comparison> {
  const settings = readSettings();
  const setup = await readTestEnvironment();
  return {
    date: new Date().toISOString(),
    k6: await k6VersionOf(k6),
    setup,
    settings,
    loads: chooseLoads(settings.cpu?.limit ?? setup.cpuLimit),
    subjects: chooseSubjects(settings),
    runs: [],
  };
}

/** @throws Error if something changed since the experiment began, so that its runs would not compare */
async function checkUnchanged({ setup }: Comparison): Promise<void> {
  const now = await readTestEnvironment();
  const changed = (Object.keys(now) as (keyof TestEnvironment)[]).filter(
    (key) => JSON.stringify(now[key]) !== JSON.stringify(setup[key]),
  );
  if (changed.length === 0) return;
  const values = changed.map(
    (key) => `${key} was ${JSON.stringify(setup[key])} and is ${JSON.stringify(now[key])}`,
  );
  throw new Error(
    `Can't continue, as the setup has changed: ${values.join('; ')}. Restore it, or start again without continue.`,
  );
}

async function makeRuns(k6: string, comparison: Comparison): Promise<void> {
  const all = plan(comparison);
  log(
    `${all.length} runs, about ${Math.round((all.length * 140) / 60)} minutes, seed ${comparison.settings.seed}`,
  );
  const deployed = await readDeployed();
  try {
    await deploySlowDatabase(deployed);
    await takeAway();
    if (comparison.runs.length === 0) await keepLast();
    for (const { load, subject, round, delayMs } of all.slice(comparison.runs.length)) {
      interruption.throwIfAborted();
      log(`${comparison.runs.length + 1}: ${load.name}, ${subject.name}, round ${round}`);
      comparison.runs.push({
        ...{ load: load.name, subject: subject.name, round },
        ...(await attempt(k6, deployed, load, subject, delayMs, comparison)),
      });
      await writeLast(comparison);
    }
  } finally {
    try {
      await remove();
    } finally {
      await putBack(deployed);
      await removeSlowDatabase();
    }
  }
}

/** Repeats a run until it counts, or for the last time. */
async function attempt(
  k6: string,
  deployed: Deployed,
  load: Load,
  subject: Subject,
  delayMs: number,
  { settings, setup }: Comparison,
): Promise<Omit<Run, 'load' | 'subject' | 'round'>> {
  for (let discarded = 0; ; discarded++) {
    const target = await deploy(deployed, subject, load.slowDatabase, settings);
    await emptyCollection();
    await sleep(settleMs, undefined, { signal: interruption });
    await createHpa(deployed, subject);
    await sleep(delayMs, undefined, { signal: interruption });
    const spike = await runSpike(k6, load, subject, target);
    const flaw = flawOf(spike, setup.cpus);
    log(JSON.stringify({ ...spike.measures, ...spike.cpu, flaw }));
    if (!flaw) return { ...spike, discarded };
    if (discarded === attempts - 1) return { ...spike, discarded, flaw };
  }
}

function log(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

async function main([task]: string[]): Promise<void> {
  if (task !== 'report') {
    await findVariants(); // or says what is not deployed
    const k6 = await findK6(log);
    const comparison = task === 'continue' ? await readLast() : await prepare(k6);
    if (task === 'continue') await checkUnchanged(comparison);
    await makeRuns(k6, comparison);
  }
  const [comparison, other] = await readExperiments();
  const page = join(folder, 'index.html');
  await writeFile(page, compareReport(comparison, other));
  await writeFile(join(folder, 'picture.svg'), comparePicture(comparison));
  console.log(`The report is ${page}. Beside it are a picture and the data, runs.json.`);
}

exitAfter(main(process.argv.slice(2)));
