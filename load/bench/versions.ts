import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { benchPackages, nodeFolder } from '../common/install';
import { peers } from './contenders';

/** The machine, and the versions of what was measured, by name. */
export async function versions(databaseUri: string): Promise<Record<string, string>> {
  const [cpu] = cpus();
  const packages = ['@google-cloud/functions-framework', 'faas-js-runtime', 'express', 'fastify'];
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    database: await databaseVersion(databaseUri),
    'Node.js': versionOf(join(nodeFolder, 'node'), '--version'),
    ...Object.fromEntries([...packages, 'mongodb'].map((name) => [name, packageVersion(name)])),
    Python: versionOf('python3', '--version'),
    ...pythonVersions(),
    Go: versionOf('go', 'version'),
    wrk: versionOf('wrk', '--version'),
  };
}

async function databaseVersion(uri: string): Promise<string> {
  const client = new MongoClient(uri);
  try {
    const info = await client.db().command({ buildInfo: 1 });
    const { version, ferretdbVersion } = info;
    return ferretdbVersion ? `FerretDB ${ferretdbVersion}` : `MongoDB ${version}`;
  } finally {
    await client.close();
  }
}

function packageVersion(name: string): string {
  return JSON.parse(readFileSync(join(benchPackages, name, 'package.json'), 'utf8')).version;
}

function pythonVersions(): Record<string, string> {
  const pinned = readFileSync(join(peers, 'flask/requirements.txt'), 'utf8');
  const lines = pinned.match(/^(Flask|gunicorn|pymongo)==.*/gm) ?? [];
  return Object.fromEntries(lines.map((line) => line.split('==')));
}

/** The version number that a program prints; `none` when it is not installed. */
function versionOf(command: string, argument: string): string {
  const { stdout } = spawnSync(command, [argument], { encoding: 'utf8' });
  return /\d+(\.\d+)+/.exec(stdout ?? '')?.[0] ?? 'none';
}
