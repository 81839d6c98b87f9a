import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compileBuiltService } from '../common/built-service';
import { exitAfter } from '../common/exit';
import { installBenchPackages } from '../common/install';
import { assertWrk, runWrk } from '../common/wrk';
import { type GrowthDatabase, openDatabases } from './databases';
import { describeEnvironment } from './environment';
import { growthMarkdown } from './growth-markdown';
import { growthPage } from './growth-page';
import { measure, urlsOf } from './measure';
import { type Load, type Part, type PartName, partNames, parts } from './parts';
import { type Replicas, startReplicas } from './replicas';
import type { GrowthResults, Sample } from './results';

const usage = `usage: npm run growth -- [--seconds S] [${partNames.join('|')}|report]...`;
const reportFolder = join(__dirname, 'report');
const resultsFile = join(reportFolder, 'growth.json');
const warmUp = { connections: 50, secondsEach: 2 };

/** `npm run growth`: measures the parts that are named, or all of them, and makes the report again. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '3' } },
  });
  const names = positionals.length > 0 ? positionals : partNames;
  const seconds = Number(values.seconds);
  if (!(Number.isInteger(seconds) && seconds > 0)) throw new Error(usage);
  for (const name of names) if (name !== 'report' && !isPart(name)) throw new Error(usage);
  const wanted = partNames.filter((name) => names.includes(name));
  if (wanted.length > 0) await measureParts(wanted, seconds);
  writeReport(readResults());
}

function isPart(name: string): name is PartName {
  return name in parts;
}

/** Measures parts, and writes the results of each when it is done. */
async function measureParts(names: PartName[], seconds: number): Promise<void> {
  assertWrk();
  installBenchPackages();
  compileBuiltService();
  const databases = await openDatabases(process.env.GROWTH_DATABASES ?? '');
  const environment = describeEnvironment(databases);
  try {
    for (const name of names) {
      console.error(`${name}:`);
      const samples: Sample[] = [];
      for (const database of databases) {
        samples.push(...(await measurePart(parts[name], database, seconds)));
      }
      writeResults({ ...readResults(), [name]: { environment, seconds, samples } });
    }
  } finally {
    for (const database of databases) await database.close();
  }
}

async function measurePart(
  { values, variable, twice, pointAt }: Part,
  database: GrowthDatabase,
  seconds: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const x of twice ? [...values, ...values.toReversed()] : values) {
    const { replicas: count, stored, loads } = pointAt(x);
    await database.reset(stored);
    const replicas = await startReplicas(count, database.uri, database.databaseName);
    try {
      for (const [i, load] of loads.entries()) {
        if (i === 0) await warm(load, replicas);
        const sample = { x, ...(await measure(load, replicas, database, seconds)) };
        samples.push(sample);
        await untilIdle(database);
        console.error(`  ${database.name}, ${variable} ${x}: ${progress(sample)}`);
      }
    } finally {
      await replicas.stop();
    }
  }
  return samples;
}

/** Runs until each replica has compiled its code and filled its connection pool. */
async function warm({ path, request }: Load, { ports }: Replicas): Promise<void> {
  await runWrk(urlsOf(ports, path), request, warmUp.connections, warmUp.secondsEach * ports.length);
}

/** Waits until the database is done with what the last load left behind, for at most half a minute. */
async function untilIdle({ cpuSeconds }: GrowthDatabase): Promise<void> {
  for (let before = cpuSeconds(), waited = 0; before !== null && waited < 60; waited++) {
    await sleep(500);
    const now = cpuSeconds() ?? before;
    if (now - before < 0.1) return;
    before = now;
  }
}

function progress({ load, rate, p95, failed }: Sample): string {
  return `${load}, ${rate.toFixed(0)}/s, p95 ${p95?.toFixed(1) ?? 'unknown'} ms, ${failed} failed`;
}

function readResults(): GrowthResults {
  try {
    return JSON.parse(readFileSync(resultsFile, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return {};
  }
}

function writeResults(results: GrowthResults): void {
  mkdirSync(reportFolder, { recursive: true });
  writeFileSync(resultsFile, `${JSON.stringify(results)}\n`);
}

function writeReport(results: GrowthResults): void {
  const page = join(reportFolder, 'index.html');
  const document = join(__dirname, '../../docs/growth.md');
  writeFileSync(page, growthPage(results));
  writeFileSync(document, growthMarkdown(results));
  console.log(`The report is in ${page} and in ${document}.`);
}

exitAfter(main());
