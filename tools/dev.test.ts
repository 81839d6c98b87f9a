import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { post, send, until } from '../functions/testing/testing';
import { readState } from './database/state';
import { runs } from './programs/processes';

const root = join(__dirname, '..');

interface Context {
  folder: string;
  child: ChildProcess;
  url: string;
  /** What was printed so far, but for the log of the service. */
  output(): string;
  closed: Promise<unknown>;
}

const test = suite<Context>('npm run dev');

// on a copy of the code, which the tests then edit
test.before.each(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'dev-test-'));
  for (const name of ['functions', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const { MONGODB_URI: _, MONGO_HOST: __, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ['-r', 'ts-node/register/transpile-only', join(__dirname, 'dev.ts')],
    {
      cwd: folder,
      env: { ...env, PORT: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true, // a process group of its own, as a shell makes one
    },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  Object.assign(context, { folder, child, output: () => output, closed: once(child, 'close') });
  await until(async () => {
    context.url = /The service is at (\S+)/.exec(output)?.[1] ?? '';
    return (await send(context.url)).status === 200;
  });
});

test.after.each(async ({ folder, child, closed }) => {
  if (child.exitCode === null) child.kill();
  await closed;
  rmSync(folder, { recursive: true, maxRetries: 5 });
});

/** Saves a file as editors do: as a new one, in place of the old one. */
function save(folder: string, file: string, text: string): void {
  const draft = join(folder, `${file}~`);
  writeFileSync(draft, text);
  renameSync(draft, join(folder, file));
}

const file = 'functions/health.ts';
const alive = (status: string) =>
  readFileSync(join(root, file), 'utf8').replace("'alive'", `'${status}'`);
const status = async (url: string) => (await send(`${url}/livez`)).json.status;

test('a saved file restarts the service, and the database is kept', async ({
  folder,
  url,
  output,
}) => {
  const posted = await post(`${url}/data`, { kept: true });
  assert.is(posted.status, 201, posted.text);
  assert.match(output(), ' in .data/. Try:\n');
  assert.not.match(output(), 'Authorization');
  const before = readState(join(folder, '.data'))?.run?.database;
  for (const text of ['edited', 'edited again']) {
    save(folder, file, alive(text));
    await until(async () => (await status(url)) === text);
  }
  assert.equal((await send(`${url}/data/${posted.json.id}`)).json, posted.json);
  assert.equal(readState(join(folder, '.data'))?.run?.database, before);
});

test('code that does not compile is reported, and the service goes on', async (context) => {
  const { folder, url, output, child } = context;
  save(folder, file, `${alive('edited')}\nconst = 1;`);
  await until(async () => output().includes('The version before it still runs.'));
  assert.match(output(), 'ERROR');
  assert.match(output(), 'functions/health.ts');
  assert.is(await status(url), 'alive');
  save(folder, file, alive('mended'));
  await until(async () => (await status(url)) === 'mended');
  assert.is(child.exitCode, null);
});

test('code that fails as it starts is reported, and mended by another save', async (context) => {
  const { folder, url, output } = context;
  save(folder, file, `${alive('edited')}\nthrow new Error('at start');`);
  await until(async () => output().includes('The service exited (1). Save a file to restart it.'));
  assert.match(output(), 'at start');
  save(folder, file, alive('mended'));
  await until(async () => (await status(url)) === 'mended');
});

test('a new file in a new folder is seen', async ({ folder, url }) => {
  cpSync(join(folder, 'functions/runtime'), join(folder, 'functions/new'), { recursive: true });
  save(folder, 'functions/new/status.ts', "export const status = 'from a new file';");
  const text = alive('alive').replace("'alive'", 'status');
  save(folder, file, `import { status } from './new/status';\n${text}`);
  await until(async () => (await status(url)) === 'from a new file');
  save(folder, 'functions/new/status.ts', "export const status = 'edited';");
  await until(async () => (await status(url)) === 'edited');
});

test('Ctrl-C stops the service and the database', async ({ folder, url, child, closed }) => {
  const database = readState(join(folder, '.data'))?.run?.database;
  assert.ok(database && runs(database));
  process.kill(-(child.pid as number), 'SIGINT');
  await closed;
  assert.is(child.exitCode, 0);
  assert.not(runs(database));
  await send(url).then(
    () => assert.unreachable('the service still answers'),
    (error) => assert.is(error.cause.code, 'ECONNREFUSED'),
  );
});

test.run();
