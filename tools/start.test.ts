import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../functions/testing/testing';
import { findProgram } from './database/find-program';
import { writeState } from './database/state';
import { identify } from './programs/processes';
import { onPath } from './programs/program-cache';

const root = join(__dirname, '..');

const { MONGODB_URI: _, MONGO_HOST: __, ...withoutDatabase } = process.env;

/**
 * Runs a tool in a folder of its own, with no database configured; `left` is what the folder has afterwards.
 *
 * @param fill puts files into the folder before
 */
async function runIn(tool: string, env: NodeJS.ProcessEnv, fill = (_folder: string) => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'start-test-'));
  fill(folder);
  const child = spawn(
    process.execPath,
    ['-r', require.resolve('ts-node/register/transpile-only'), join(__dirname, tool), 'true'],
    {
      cwd: folder,
      env: { ...withoutDatabase, TS_NODE_PROJECT: join(root, 'tsconfig.json'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  const left = readdirSync(folder);
  rmSync(folder, { recursive: true });
  return { code, output, left };
}

const early = suite('before the database is started');

for (const tool of ['start.ts', 'dev.ts', 'with-database.ts']) {
  early(`${tool} reports a bad configuration in one error`, async () => {
    assert.equal(await runIn(tool, { PORT: 'http', MONGO_POOL_SIZE: '0' }), {
      code: 1,
      output: `The configuration can't be used:
  PORT: must be a whole number from 0 to 65535
  MONGO_POOL_SIZE: must be a whole number from 1 to 1000\n`,
      left: [],
    });
  });
}

for (const tool of ['start.ts', 'dev.ts']) {
  early(`${tool} reports a port that is taken`, async () => {
    const taken = createServer().listen(0);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const outcome = await runIn(tool, { PORT: String(port) });
    taken.close();
    assert.equal(outcome, {
      code: 1,
      output: `Port ${port} is taken. Set PORT to one that is free.\n`,
      left: [],
    });
  });

  early(`${tool} says first that the service already runs in the folder`, async () => {
    const taken = createServer().listen(0);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, output } = await runIn(tool, { PORT: String(port) }, (folder) => {
      const self = identify(process.pid);
      const user = { username: 'app', password: 'secret', ready: true };
      mkdirSync(join(folder, '.data'));
      writeState(join(folder, '.data'), {
        ...user,
        kind: 'mongod',
        run: { port: 1, database: self, owner: self },
      });
    });
    taken.close();
    assert.is(code, 1);
    assert.match(
      output,
      `the database in .data is in use by process ${process.pid}: use the service`,
    );
  });
}

early.run();

const withoutGo = suite<{ folder: string; env: NodeJS.ProcessEnv }>('without Go');

withoutGo.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'without-go-test-'));
  for (const name of ['node', 'npm', 'sh']) {
    symlinkSync(onPath(name) as string, join(context.folder, name));
  }
  context.env = {
    ...withoutDatabase,
    PATH: context.folder,
    XDG_CACHE_HOME: join(context.folder, 'cache'),
    MONGOMS_RUNTIME_DOWNLOAD: 'false',
  };
});

withoutGo.after.each(({ folder }) => rmSync(folder, { recursive: true, maxRetries: 5 }));

withoutGo('and without a mongod, one message says what to install', async ({ env }) => {
  const { code, output } = await runIn('start.ts', { ...env, PORT: '0' });
  assert.is(code, 1);
  assert.match(
    output,
    /^downloading mongod 8\.0\.17, once\nThe service could not start: there is no database to run \(downloading mongod: .*\)\. Install mongod 8 \(.*\) or Go .* \(.*\), or set MONGODB_URI\.\n$/,
  );
  assert.is(output.match(/downloading mongod: /g)?.length, 1);
});

withoutGo('npm start works with a database program on the PATH', async ({ folder, env }) => {
  // the one that this machine has, as if it had been installed
  const { kind, path } = await findProgram(undefined, console.error);
  symlinkSync(path, join(folder, kind));
  const keys = join(folder, 'api-keys');
  writeFileSync(keys, '');
  const child = spawn(
    process.execPath,
    ['-r', require.resolve('ts-node/register/transpile-only'), join(__dirname, 'start.ts')],
    {
      cwd: folder,
      env: {
        ...env,
        TS_NODE_PROJECT: join(root, 'tsconfig.json'),
        PORT: '0',
        DRAIN_DELAY_MS: '0',
        AUTH_API_KEYS_FILE: keys,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  const closed = once(child, 'close');
  try {
    await untilReachable(child.stdout, closed);
    await until(async () => output.trimEnd().endsWith('/data'));
    assert.match(output, /\nIts database is (mongod|FerretDB 1\.24) in \.data\/\. Try:\n/);
    assert.is(output.match(/curl .*-H "Authorization: Bearer \$TOKEN" /g)?.length, 2);
  } finally {
    child.kill();
    await closed;
  }
});

withoutGo('tests that need Go or k6 are skipped, and say what to install', ({ env }) => {
  const preloads = ['ts-node/register/transpile-only', join(__dirname, 'uvu.ts')];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/uvu/bin.js'),
      ...preloads.flatMap((preload) => ['-r', preload]),
      '.',
      '(manifests|load/scripts)\\.test\\.ts$',
    ],
    { cwd: root, env: { ...env, CI: '' }, encoding: 'utf8' },
  );
  assert.is(status, 0, stderr);
  assert.equal(stderr.trim().split('\n').sort(), [
    'Skipped: k6 scripts. To run it, install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6) or Go 1.24 or later (https://go.dev/dl).',
    'Skipped: manifests. To run it, install Go 1.24 or later (https://go.dev/dl).',
  ]);
  const output = stripVTControlCharacters(stdout);
  assert.match(output, /Total: +0\n/);
  assert.match(output, /Skipped: +[1-9]\d+\n/);
});

withoutGo.run();

/** Waits until a service's log says that it has reached MongoDB. */
function untilReachable(log: Readable, closed: Promise<unknown>): Promise<unknown[]> {
  const messages: unknown[] = [];
  return Promise.race([
    closed.then((): never => {
      throw new Error('it did not start');
    }),
    new Promise<unknown[]>((resolve) => {
      createInterface(log).on('line', (line) => {
        const { msg } = line.startsWith('{') ? JSON.parse(line) : {};
        messages.push(msg);
        if (msg === 'MongoDB is reachable') resolve(messages);
      });
    }),
  ]);
}

const signals = suite('npm start, signalled');

for (const [what, signal, toGroup] of [
  ['SIGTERM to npm', 'SIGTERM', false],
  ['Ctrl-C', 'SIGINT', true],
  ['a terminal that closes', 'SIGHUP', true],
] as const) {
  signals(`${what} stops the service`, async () => {
    const npm = spawn('npm', ['start'], {
      cwd: root,
      detached: true, // a process group of its own, as a shell makes one
      env: { ...process.env, PORT: '0', DRAIN_DELAY_MS: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = npm.pid as number;
    const closed = once(npm, 'close'); // when the service has closed the pipe, too
    try {
      const messages = await untilReachable(npm.stdout, closed);
      process.kill(toGroup ? -pid : pid, signal);
      await closed;
      assert.is(messages.at(-1), 'stopped');
    } finally {
      if (npm.exitCode === null && npm.signalCode === null) process.kill(-pid, 'SIGKILL');
    }
  });
}

signals.run();
