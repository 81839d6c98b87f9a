import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitAfter } from '../common/exit';
import { installBenchPackages, nodeFolder } from '../common/install';
import type { Limits } from './limited-service';
import { memoryFaults, memoryReport, overloadFaults, overloadReport } from './limits-report';
import { testMemory } from './memory-test';
import { testOverload } from './overload-test';

const usage = `usage: npm run limits -- memory [--cpu CORES] [--node PATH] [PART OF A SCENARIO'S NAME...]
       npm run limits -- overload [--cpu CORES] [--node PATH] [--seconds S] [--connections N]`;

/** `npm run limits`: tests one replica with the limits of a pod, and writes a report. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cpu: { type: 'string', default: '2' },
      node: { type: 'string' },
      seconds: { type: 'string', default: '30' },
      connections: { type: 'string', default: '3000' },
    },
  });
  const [test, ...only] = positionals;
  if (test !== 'memory' && test !== 'overload') throw new Error(usage);
  if (!values.node) installBenchPackages();
  const node = values.node ?? join(nodeFolder, 'node');
  const limits: Limits = { memoryMiB: 500, cores: Number(values.cpu), node };

  let report: object[];
  let table: string;
  let faults: string[];
  if (test === 'memory') {
    const results = await testMemory(limits, only);
    [report, table, faults] = [results, memoryReport(results), results.flatMap(memoryFaults)];
  } else {
    const results = await testOverload(limits, {
      seconds: Number(values.seconds),
      connections: Number(values.connections),
    });
    [report, table, faults] = [results, overloadReport(results), overloadFaults(results)];
  }

  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}`,
    node: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    limits: `${limits.memoryMiB} MiB, ${limits.cores} CPU`,
    database: `database: ${process.env.MONGODB_URI && test === 'overload' ? 'MONGODB_URI' : 'a fast stand-in'}`,
  };
  const text = `${table}\n\n${Object.values(about).join('; ')}`;
  console.log(text);
  if (only.length === 0) writeFiles(`${test}-${limits.cores}-cpu`, { about, report, faults }, text);
  return faults.length === 0 ? 0 : 1;
}

function writeFiles(name: string, content: object, markdown: string): void {
  const folder = join(__dirname, 'report');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(content, null, 1)}\n`);
  writeFileSync(join(folder, `${name}.md`), `${markdown}\n`);
}

exitAfter(main());
