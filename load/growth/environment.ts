import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { nodeFolder } from '../common/install';
import type { GrowthDatabase } from './databases';

/** The machine, and the versions of what is measured, by name. */
export function describeEnvironment(databases: GrowthDatabase[]): Record<string, string> {
  const [cpu] = cpus();
  const node = execFileSync(join(nodeFolder, 'node'), ['--version'], { encoding: 'utf8' });
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    'Node.js': node.trim().replace('v', ''),
    ...Object.fromEntries(databases.map(({ name, version }) => [name, version])),
  };
}
