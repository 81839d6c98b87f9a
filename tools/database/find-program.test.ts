import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ferretdbName, ferretdbVersion } from './build-ferretdb';
import { findProgram } from './find-program';

const test = suite<{ folder: string; environment: NodeJS.ProcessEnv }>('program');

// Nothing is installed, cached or to be had.
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

function install(path: string, output = ''): string {
  writeFileSync(path, `#!/bin/sh\necho '${output}'\n`);
  chmodSync(path, 0o755);
  return path;
}

const find = (preferred?: 'mongod' | 'ferretdb') => findProgram(preferred, () => {});

test('says what to do when there is none', async () => {
  const error = await find().catch((reason: Error) => reason);
  assert.instance(error, Error);
  assert.match((error as Error).message, /mongod.*go.*install mongod 8 or Go .*MONGODB_URI/);
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
