import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeFolder } from '../bench/contenders';
import { prepare } from '../bench/prepare';
import { measureMemory } from './memory';
import { measureOverload } from './overload';
import type { Limits } from './service';
import { faultsOf, memoryTable, overloadFaults, overloadTable } from './table';

const usage = `usage: npm run limits -- memory [--cpu CORES] [--node PATH] [PART OF A LOAD'S NAME...]
       npm run limits -- overload [--cpu CORES] [--node PATH] [--seconds S] [--connections N]`;

/** Measures what one replica carries within a pod's limits, and writes a table of it. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cpu: { type: 'string', default: '2' },
      node: { type: 'string' },
      seconds: { type: 'string', default: '15' },
      connections: { type: 'string', default: '3000' },
    },
  });
  const [what, ...only] = positionals;
  if (what !== 'memory' && what !== 'overload') throw new Error(usage);
  if (!values.node) prepare([]);
  const node = values.node ?? join(nodeFolder, 'node');
  const limits: Limits = { memoryMiB: 500, cores: Number(values.cpu), node };

  const given = process.env.MONGODB_URI;
  let table: string;
  let report: object[];
  let faults: string[];
  if (what === 'memory') {
    const rows = await measureMemory(limits, only);
    [report, table, faults] = [rows, memoryTable(rows), rows.flatMap(faultsOf)];
  } else {
    const rows = await measureOverload(limits, {
      seconds: Number(values.seconds),
      connections: Number(values.connections),
    });
    [report, table, faults] = [rows, overloadTable(rows), overloadFaults(rows)];
  }

  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}`,
    node: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    limits: `${limits.memoryMiB} MiB, ${limits.cores} CPU`,
    database: `database ${given && what === 'overload' ? 'of MONGODB_URI' : 'that is a fake, as fast as can be'}`,
  };
  const text = `${table}\n\n${Object.values(about).join('; ')}`;
  console.log(text);
  if (only.length === 0) write(`${what}-${limits.cores}-cpu`, { about, report, faults }, text);
  return faults.length === 0 ? 0 : 1;
}

function write(name: string, report: object, markdown: string): void {
  const folder = join(__dirname, 'report');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(folder, `${name}.md`), `${markdown}\n`);
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
