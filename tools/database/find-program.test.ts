import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ferretdbName, ferretdbVersion } from './build-ferretdb';
import { findProgram } from './find-program';

const test = suite<{ folder: string; environment: NodeJS.ProcessEnv }>('program');

// Nothing is installed or cached, and nothing can be downloaded.
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'program-test-'));
  context.environment = { ...process.env };
  process.env.PATH = context.folder;
  process.env.XDG_CACHE_HOME = context.folder;
  process.env.MONGOMS_RUNTIME_DOWNLOAD = 'false';
});

test.after.each(({ folder, environment }) => {
  process.env = environment;
  rmSync(folder, { recursive: true });
});

function install(path: string, output = '', last = ''): string {
  writeFileSync(path, `#!/bin/sh\necho '${output}'\n${last}\n`);
  chmodSync(path, 0o755);
  return path;
}

const find = (preferred?: 'mongod' | 'ferretdb') => findProgram(preferred, () => {});

test('without a program, a download or Go, one message says what to install', async () => {
  const reported: string[] = [];
  const error = await findProgram(undefined, (line) => reported.push(line)).catch(
    (reason: Error) => reason,
  );
  assert.instance(error, Error);
  assert.match(
    (error as Error).message,
    /^there is no database to run \(downloading mongod: .*\)\. Install mongod 8 \(https.*\) or Go .* \(https.*\), or set MONGODB_URI\.$/,
  );
  assert.equal(reported, ['downloading mongod 8.0.17, once']);
});

test('where Go is installed, it is tried after a failed download', async ({ folder }) => {
  install(join(folder, 'go'), '', 'exit 1');
  const reported: string[] = [];
  const error = await findProgram(undefined, (line) => reported.push(line)).catch(
    (reason: Error) => reason,
  );
  assert.match((error as Error).message, 'there is no database to run (building FerretDB: ');
  assert.match(reported[1] ?? '', 'downloading mongod: ');
  assert.match(reported[2] ?? '', 'building FerretDB v1.24.2 with Go');
});

test('a folder with data of one kind wants that kind', async () => {
  const error = await find('ferretdb').catch((reason: Error) => reason);
  assert.is(
    (error as Error).message,
    'there is no ferretdb to run. Install Go 1.24 or later (https://go.dev/dl), or set MONGODB_URI.',
  );
});

test('prefers an installed mongod, a cached one, an installed FerretDB 1.24', async ({
  folder,
}) => {
  const cache = join(folder, 'functions-on-knative');
  mkdirSync(cache);
  const cachedFerretdb = install(join(cache, ferretdbName()));
  assert.equal(await find(), { kind: 'ferretdb', path: cachedFerretdb });
  install(join(folder, 'ferretdb'), 'version: v2.5.0');
  assert.equal(await find(), { kind: 'ferretdb', path: cachedFerretdb });
  const ferretdb = install(join(folder, 'ferretdb'), 'version: v1.24.0');
  assert.equal(await find(), { kind: 'ferretdb', path: ferretdb });
  const cachedMongod = install(join(cache, 'mongod-8.0.17'));
  assert.equal(await find(), { kind: 'mongod', path: cachedMongod });
  const mongod = install(join(folder, 'mongod'));
  assert.equal(await find(), { kind: 'mongod', path: mongod });
  assert.equal(await find('ferretdb'), { kind: 'ferretdb', path: ferretdb });
});

test('says that an installed FerretDB is slow, unless it was built here', async ({ folder }) => {
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const path = install(join(folder, 'ferretdb'), `version: ${ferretdbVersion}`);
  assert.equal(await findProgram('ferretdb', say), { kind: 'ferretdb', path });
  assert.equal(said, []);
  install(path, 'version: v1.24.2');
  assert.equal(await findProgram('ferretdb', say), { kind: 'ferretdb', path });
  assert.match(said.join(), `${path} reads the whole collection`);
});

test.run();
