import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(__dirname, '..');

const refusal = suite('npm start, before the database');

/** Starts without a database that is configured, in an empty folder; `left` is what is in it then. */
async function startIn(env: NodeJS.ProcessEnv) {
  const folder = mkdtempSync(join(tmpdir(), 'start-test-'));
  const { MONGODB_URI: _, MONGO_HOST: __, ...rest } = process.env;
  const child = spawn(
    process.execPath,
    ['-r', require.resolve('ts-node/register/transpile-only'), join(__dirname, 'start.ts')],
    {
      cwd: folder,
      env: { ...rest, TS_NODE_PROJECT: join(root, 'tsconfig.json'), ...env },
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

refusal('a bad configuration is told in one error, and nothing is made', async () => {
  assert.equal(await startIn({ PORT: 'http', MONGO_POOL_SIZE: '0' }), {
    code: 1,
    output: `The configuration can't be used:
  PORT: must be a whole number from 0 to 65535
  MONGO_POOL_SIZE: must be a whole number from 1 to 1000\n`,
    left: [],
  });
});

refusal('so is a port that is taken', async () => {
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const outcome = await startIn({ PORT: String(port) });
  taken.close();
  assert.equal(outcome, {
    code: 1,
    output: `Port ${port} is taken. Set PORT to one that is free.\n`,
    left: [],
  });
});

refusal.run();

const signals = suite('npm start, signalled');

for (const [what, signal, toGroup] of [
  ['SIGTERM to npm', 'SIGTERM', false],
  ['Ctrl-C', 'SIGINT', true],
  ['a terminal that closes', 'SIGHUP', true],
] as const) {
  signals(`${what} ends the service`, async () => {
    const npm = spawn('npm', ['start'], {
      cwd: root,
      detached: true, // a process group of its own, as a shell makes one
      env: { ...process.env, PORT: '0', DRAIN_DELAY_MS: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = npm.pid as number;
    const closed = once(npm, 'close'); // the service, too, has let go of the pipe
    const messages: unknown[] = [];
    try {
      await Promise.race([
        closed.then(() => assert.unreachable('it did not start')),
        new Promise<void>((resolve) => {
          createInterface(npm.stdout).on('line', (line) => {
            const { msg } = line.startsWith('{') ? JSON.parse(line) : {};
            messages.push(msg);
            if (msg === 'MongoDB is reachable') resolve();
          });
        }),
      ]);
      process.kill(toGroup ? -pid : pid, signal);
      await closed;
      assert.is(messages.at(-1), 'stopped');
    } finally {
      if (npm.exitCode === null && npm.signalCode === null) process.kill(-pid, 'SIGKILL');
    }
  });
}

signals.run();
