import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyCollection, findVariants } from '../common/cluster';
import { type Deployed, readDeployed } from '../common/deployed';
import { exitAfter } from '../common/exit';
import { findK6, k6VersionOf } from '../common/k6';
import { randomFrom } from '../common/random';
import { deploySlowDatabase, removeSlowDatabase } from '../common/slow-database';
import { readTestEnvironment } from '../common/test-environment';
import { compareReport } from './compare-report';
import type { Comparison, Run } from './comparison';
import { chooseLoads, type Load } from './loads';
import { comparePicture } from './picture';
import { runSpike } from './spike';
import { chooseSubjects, readSettings, type Subject } from './subjects';
import { putBack, takeAway } from './take-away';
import { flawOf } from './validity';
import { deploy, remove } from './workload';

// `npm run compare`: puts this service and its peers under the same spikes, on Knative and with an HPA, and
// writes a report. `npm run compare -- continue` goes on after an interruption; `report` only makes the
// report again, from the last results.
const folder = join(__dirname, 'report');
const resultsFile = join(folder, 'runs.json');
const attempts = 3;

/** The runs of an experiment, in random order: round by round, so that drift meets all alike. */
function plan({ loads, subjects, settings }: Comparison) {
  const random = randomFrom(settings.seed);
  const cells = loads.flatMap((load) => subjects.map((subject) => ({ load, subject })));
  return Array.from({ length: settings.rounds }, (_, i) =>
    random.shuffle(cells).map((cell) => ({ ...cell, round: i + 1 })),
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

async function makeRuns(k6: string, comparison: Comparison): Promise<void> {
  const all = plan(comparison);
  log(
    `${all.length} runs, about ${Math.round((all.length * 95) / 60)} minutes, seed ${comparison.settings.seed}`,
  );
  const deployed = await readDeployed();
  await deploySlowDatabase(deployed);
  await takeAway();
  try {
    for (const { load, subject, round } of all.slice(comparison.runs.length)) {
      log(`${comparison.runs.length + 1}: ${load.name}, ${subject.name}, round ${round}`);
      comparison.runs.push({
        ...{ load: load.name, subject: subject.name, round },
        ...(await attempt(k6, deployed, load, subject, comparison)),
      });
      await writeFile(resultsFile, `${JSON.stringify(comparison)}\n`);
    }
  } finally {
    await remove();
    await putBack(deployed);
    await removeSlowDatabase();
  }
}

/** Repeats a run until it counts, or for the last time. */
async function attempt(
  k6: string,
  deployed: Deployed,
  load: Load,
  subject: Subject,
  { settings, setup }: Comparison,
): Promise<Omit<Run, 'load' | 'subject' | 'round'>> {
  for (let discarded = 0; ; discarded++) {
    const target = await deploy(deployed, subject, load.slowDatabase, settings);
    await emptyCollection();
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

// Ctrl-C ends k6 or kubectl; their failure ends this process, after both variants are put back.
process.on('SIGINT', () => {});

async function main([task]: string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const readResults = async (): Promise<Comparison> =>
    JSON.parse(await readFile(resultsFile, 'utf8'));
  if (task !== 'report') {
    await findVariants(); // or says what is not deployed
    const k6 = await findK6(log);
    await makeRuns(k6, task === 'continue' ? await readResults() : await prepare(k6));
  }
  const comparison = await readResults();
  const page = join(folder, 'index.html');
  await writeFile(page, compareReport(comparison));
  await writeFile(join(folder, 'picture.svg'), comparePicture(comparison));
  console.log(`The report is ${page}. Beside it are a picture and the data, runs.json.`);
}

exitAfter(main(process.argv.slice(2)));
