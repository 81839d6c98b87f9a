import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { end, identify, type Process, runs } from '../programs/processes';
import { type Database, startDatabase } from './embedded-database';
import { readState, writeState } from './state';

interface Elsewhere {
  uri: string;
  database: Process;
  owner: Process;
}

interface Context {
  directory: string;
  databases: Database[];
  others: Process[];
  start(): Promise<Database>;
  startElsewhere(last?: string, directory?: string): Promise<Elsewhere>;
}

const test = suite<Context>('embedded database');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'embedded 100% test-'));
  context.databases = [];
  context.others = [];
  context.start = async () => {
    const { directory } = context;
    const database = await startDatabase({ directory, report: console.error });
    context.databases.push(database);
    return database;
  };
  context.startElsewhere = async (last = '', directory = context.directory) => {
    const child = startInProcess(directory, last);
    const owner = identify(child.pid as number);
    const closed = once(child, 'close').then(() => assert.unreachable('it did not start'));
    const [line] = (await Promise.race([once(child.stdout, 'data'), closed])) ?? [];
    const { uri, pid } = JSON.parse(line);
    const database = identify(pid);
    context.others.push(owner, database);
    return { uri, database, owner };
  };
});

test.after.each(async ({ directory, databases, others }) => {
  await Promise.all(databases.map((database) => database.stop()));
  await Promise.all(others.map(end));
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** Starts a database in another process, which prints its URI, does `last` and keeps running. */
function startInProcess(directory: string, last: string) {
  const script = `
    require(${JSON.stringify(join(__dirname, 'embedded-database'))})
      .startDatabase({ directory: process.argv[1], report: console.error })
      .then(({ uri, pid }) => {
        console.log(JSON.stringify({ uri, pid }));
        const keepAlive = setInterval(() => {}, 1000);
        setImmediate(() => { ${last} });
      })`;
  const args = ['-r', 'ts-node/register/transpile-only', '-e', script, directory];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const items = (client: MongoClient) => client.db('test').collection<{ _id: string }>('items');
const store = (uri: string, _id: string) =>
  withClient(uri, (client) => items(client).insertOne({ _id }));
const stored = (uri: string) =>
  withClient(uri, async (client) => (await items(client).find().toArray()).map(({ _id }) => _id));

async function rejects(attempt: Promise<unknown>, message: RegExp): Promise<void> {
  const outcome = await attempt.catch((error: Error) => error);
  assert.instance(outcome, Error);
  assert.match((outcome as Error).message, message);
}

async function untilGone(target: Process): Promise<void> {
  for (let tries = 0; tries < 1000 && runs(target); tries++) await sleep(20);
  assert.not(runs(target), `process ${target.pid} still runs`);
}

test('requires the password', async ({ start }) => {
  const { uri } = await start();
  await store(uri, 'a');
  const wrong = uri.replace(/:[0-9a-f]+@/, ':wrong@');
  const anonymous = uri.replace(/\/\/.*@/, '//').replace(/\?.*/, '');
  await rejects(stored(wrong), /authentication/i);
  await rejects(stored(anonymous), /authentication/i);
  await rejects(store(anonymous, 'b'), /authentication/i);
  assert.equal(await stored(uri), ['a']);
});

test('keeps the password in a file that only its owner can read', async ({ directory, start }) => {
  const { password } = new URL((await start()).uri);
  const state = join(directory, 'database.json');
  assert.match(readFileSync(state, 'utf8'), password);
  assert.is(statSync(state).mode & 0o777, 0o600);
});

test('keeps its data across a restart', async ({ start }) => {
  const first = await start();
  await store(first.uri, 'a');
  const database = identify(first.pid);
  await Promise.all([first.stop(), first.stop()]);
  assert.not(runs(database));
  const second = await start();
  assert.equal(await stored(second.uri), ['a']);
});

test('keeps acknowledged writes when it is killed', async ({ start }) => {
  const first = await start();
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) await store(first.uri, id);
  const database = identify(first.pid);
  process.kill(first.pid, 'SIGKILL');
  await untilGone(database);
  const second = await start();
  assert.equal((await stored(second.uri)).sort(), ids);
});

test('starts afresh when the first start was interrupted', async ({ directory, start }) => {
  await (await start()).stop();
  const state = readState(directory);
  assert.ok(state?.ready);
  writeState(directory, { ...state, password: 'another', ready: false });
  const { uri } = await start();
  assert.equal(await stored(uri), []);
});

test('reports a lost password', async ({ directory, start }) => {
  await (await start()).stop();
  rmSync(join(directory, 'database.json'));
  await rejects(start(), /password is missing/);
});

test('stops the database of a process that was killed', async ({ start, startElsewhere }) => {
  const { uri, database, owner } = await startElsewhere();
  await store(uri, 'a');
  process.kill(owner.pid, 'SIGKILL');
  await untilGone(owner);
  assert.ok(runs(database));
  const next = await start();
  assert.not(runs(database));
  assert.equal(await stored(next.uri), ['a']);
});

test('spares an unrelated process that has the PID of an earlier database', async ({
  directory,
  start,
}) => {
  await (await start()).stop();
  const state = readState(directory);
  assert.ok(state?.run);
  const database = { pid: process.pid, start: 'long ago' };
  writeState(directory, { ...state, run: { ...state.run, database } });
  await start();
});

test('stops with its process', async ({ directory, startElsewhere }) => {
  const lasts = ['process.exit()', 'throw new Error()', 'clearInterval(keepAlive)'];
  const started = lasts.map((last, index) => startElsewhere(last, join(directory, `${index}`)));
  for (const { database } of await Promise.all(started)) await untilGone(database);
});

test('refuses a folder that is in use', async ({ start, startElsewhere }) => {
  const { uri, owner } = await startElsewhere();
  await rejects(start(), new RegExp(`in use by process ${owner.pid}: .*MONGODB_URI`));
  assert.equal(await stored(uri), []);
});

test('starts once when two processes start it', async ({ start, startElsewhere }) => {
  const both = await Promise.allSettled([startElsewhere(), startElsewhere()]);
  const started = both.filter((outcome) => outcome.status === 'fulfilled');
  assert.is(started.length, 1);
  assert.equal(await stored(started[0]?.value.uri as string), []);
  await rejects(start(), /in use/);
});

test.run();
