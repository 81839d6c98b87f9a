import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** Runs a script with with-database. @param started is called at its first output */
async function run(
  script: string,
  { env = {}, started }: { env?: NodeJS.ProcessEnv; started?: (pid: number) => void } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'with-database-test-'));
  const { MONGODB_URI: _, MONGO_HOST: __, ...rest } = process.env;
  const child = spawn(
    process.execPath,
    [
      ...['-r', 'ts-node/register/transpile-only', join(__dirname, 'with-database.ts')],
      ...[process.execPath, '-e', script],
    ],
    { env: { ...rest, TMPDIR: folder, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    if (!output) started?.(child.pid as number);
    output += chunk;
  });
  const [code] = await once(child, 'close');
  const left = readdirSync(folder).filter((name) => name.startsWith('database-'));
  rmSync(folder, { recursive: true });
  return { code, output, left };
}

const ping = `
  const { MongoClient } = require('mongodb');
  const client = new MongoClient(process.env.MONGODB_URI);
  client.db('test').collection('items').insertOne({ _id: 1 })
    .then(() => client.close())
    .then(() => { console.log('stored'); process.exit(7); })`;

const waitForSignal = `
  for (const name of ['SIGTERM', 'SIGHUP']) {
    process.on(name, () => { console.log(name); process.exit(9); });
  }
  setTimeout(() => process.exit(1), 20_000);
  console.log('up');`;

test('runs the command with a database, returns its exit code, and cleans up', async () => {
  assert.equal(await run(ping), { code: 7, output: 'stored\n', left: [] });
});

test('reports the signal that ended the command', async () => {
  const { code } = await run(`process.kill(process.pid, 'SIGKILL')`);
  assert.is(code, 128 + 9);
});

for (const name of ['SIGTERM', 'SIGHUP']) {
  test(`forwards ${name} and cleans up`, async () => {
    const outcome = await run(waitForSignal, { started: (pid) => process.kill(pid, name) });
    assert.equal(outcome, { code: 9, output: `up\n${name}\n`, left: [] });
  });
}

test('leaves SIGINT to the command and cleans up', async () => {
  const script = `process.on('SIGINT', () => console.log('SIGINT'));
    console.log('up');
    setTimeout(() => process.exit(3), 500);`;
  const outcome = await run(script, { started: (pid) => process.kill(pid, 'SIGINT') });
  assert.equal(outcome, { code: 3, output: 'up\n', left: [] });
});

test('starts no database where the environment names one', async () => {
  const script = 'console.log(process.env.MONGODB_URI)';
  const outcome = await run(script, { env: { MONGODB_URI: 'mongodb://elsewhere' } });
  assert.equal(outcome, { code: 0, output: 'mongodb://elsewhere\n', left: [] });
});

test.run();
