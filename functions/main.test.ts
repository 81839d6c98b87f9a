import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startDatabase } from '../tools/database/embedded-database';
import { freePort } from '../tools/network/ports';
import {
  killProcesses,
  openConnection,
  type Process,
  post,
  rawGet,
  rawPostHead,
  send,
  sendRaw,
  startProcess,
  until,
} from './testing/testing';

const nowhere = 'mongodb://app:s3cret@127.0.0.1:1/?authSource=admin';

const start = suite('start');

start('an invalid configuration is reported in one error', async () => {
  const { code, output } = await startFailing({ PORT: 'http', MONGO_POOL_SIZE: 'many' });
  assert.is(code, 1);
  assert.match(output, /PORT: must be a whole number.*\n.*MONGO_POOL_SIZE: must be/);
  assert.not.match(output, /\n\s+at /);
});

start('a URI that the driver rejects is reported without its password', async () => {
  for (const uri of [
    'mongodb://app:s3cret@',
    'mongodb://app:s3c@ret@db',
    'mongodb://app:s3cret@db/?a=b',
  ]) {
    const { code, output } = await startFailing({ MONGODB_URI: uri });
    assert.is(code, 1);
    assert.match(output, 'MONGODB_URI');
    assert.not.match(output, /s3c/);
  }
});

start('a port in use is reported', async () => {
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { code, output } = await startFailing({ PORT: String(port) });
  taken.close();
  assert.is(code, 1);
  assert.match(output, `Port ${port} is taken. Set PORT to one that is free.`);
});

start.run();

const unreachable = suite('without MongoDB');

unreachable('the service is alive, not ready, and responds with 503', async () => {
  const service = await startProcess({ MONGODB_URI: nowhere, MONGO_TIMEOUT_MS: '500' });
  assert.is((await send(`${service.url}/livez`)).status, 200);
  assert.is((await send(`${service.url}/time`)).status, 200);
  const ready = await send(`${service.url}/readyz`);
  assert.is(ready.status, 503);
  assert.is(ready.json.type, 'urn:problem-type:not-ready');
  for (const response of [
    await send(`${service.url}/data`),
    await post(`${service.url}/data`, {}),
  ]) {
    assert.is(response.status, 503);
    assert.is(response.json.type, 'urn:problem-type:database-unavailable');
    assert.is(response.headers.get('retry-after'), '1');
  }
  assert.is(await stop(service), 0);
  assert.not.match(JSON.stringify(service.lines), 's3cret');
});

unreachable.after.each(killProcesses);
unreachable.run();

const log = suite('log');

log('one line per request, without query, body and credentials', async () => {
  const service = await startProcess();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await send(`${service.url}/time?tz=Asia/Tokyo`, { headers: { 'X-Request-Id': 'abc' } });
  await send(`${service.url}/nothing`, {
    headers: { traceparent, Authorization: 'Basic c2VjcmV0' },
  });
  await post(`${service.url}/data`, { secret: 'body' }, { traceparent: `${traceparent} body` });
  await sendRaw(service.url, rawGet('http://user:s3cret@a/time#s3cret', 'Connection: close'));
  assert.is(await stop(service), 0);

  const requests = service.lines.filter(({ msg }) => msg === 'request');
  assert.equal(
    requests.map(({ method, path, status }) => [method, path, status]),
    [
      ['GET', '/time', 200],
      ['GET', '/nothing', 404],
      ['POST', '/data', 201],
      ['GET', '/time', 404], // a user in a URL leads nowhere
    ],
  );
  assert.is(requests[0]?.requestId, 'abc');
  assert.is(requests[1]?.traceparent, traceparent);
  assert.ok(requests.every(({ ms, requestId }) => typeof ms === 'number' && requestId));
  const text = JSON.stringify(service.lines);
  assert.not.match(text, /Tokyo|c2VjcmV0|s3cret|body/);
  assert.not.match(text, new URL(process.env.MONGODB_URI ?? '').password);
});

log('LOG_REQUESTS=false turns the request lines off', async () => {
  const service = await startProcess({ LOG_REQUESTS: 'false' });
  await send(`${service.url}/time`);
  assert.is(await stop(service), 0);
  assert.not(service.lines.some(({ msg }) => msg === 'request'));
});

log('probes are logged when they fail', async () => {
  const service = await startProcess({ MONGODB_URI: nowhere });
  assert.is((await send(`${service.url}/livez`)).status, 200);
  assert.is((await send(`${service.url}/readyz`)).status, 503);
  assert.is(await stop(service), 0);
  const requests = service.lines.filter(({ msg }) => msg === 'request');
  assert.equal(
    requests.map(({ path, status }) => [path, status]),
    [['/readyz', 503]],
  );
});

log('no two processes generate the same request id', async () => {
  const ids: (string | null)[] = [];
  for (let i = 0; i < 2; i++) {
    const service = await startProcess();
    for (let n = 0; n < 2; n++) {
      ids.push((await send(`${service.url}/time`)).headers.get('x-request-id'));
    }
    assert.is(await stop(service), 0);
    const logged = service.lines.filter(({ msg }) => msg === 'request');
    assert.equal(
      logged.map(({ requestId }) => requestId),
      ids.slice(-2),
    );
  }
  assert.is(new Set(ids).size, 4);
});

log.after.each(killProcesses);
log.run();

const drain = suite('drain');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  drain(`${signal} lets current and new requests finish, then exits 0`, async () => {
    const service = await startProcess({ DRAIN_DELAY_MS: '1000' });
    await until(async () => (await send(`${service.url}/readyz`)).status === 200);

    const posts = Array.from({ length: 50 }, (_, n) => beginPost(service.url, { n }));
    const clients = Array.from({ length: 50 }, () => keepRequesting(service.url));
    await sleep(300);
    service.child.kill(signal);
    await until(async () => (await send(`${service.url}/readyz`)).status === 503);
    // half of the bodies end while connections are still accepted, the other half later
    const early = posts.slice(0, 25).map(({ finish }) => finish());
    await sleep(1200);
    const late = posts.slice(25).map(({ finish }) => finish());

    const responses = await Promise.all([...early, ...late]);
    assert.equal([...new Set(responses)], ['201 close']);
    const results = await Promise.all(clients);
    assert.equal([...new Set(results.map(({ code }) => code))], ['ECONNREFUSED']);
    assert.ok(results.every(({ completed }) => completed > 0));
    assert.is(await service.exited, 0);
  });
}

drain('an unused connection does not delay the exit', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '60000' });
  const unused = connect(Number(new URL(service.url).port), '127.0.0.1');
  await once(unused, 'connect');
  await until(async () => (await send(`${service.url}/readyz`)).status === 200);
  assert.is(await stop(service), 0);
  assert.not(service.lines.some(({ msg }) => String(msg).includes('cut off')));
  unused.destroy();
});

drain('a connection left open after nonsense does not delay the exit', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '60000' });
  const port = Number(new URL(service.url).port);
  const open = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  open.write('nonsense\r\n\r\n');
  await once(open.resume(), 'end');
  assert.is(await stop(service), 0);
  assert.not(service.lines.some(({ msg }) => String(msg).includes('cut off')));
  open.destroy();
});

drain('pipelined requests get their responses', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '1000' });
  await until(async () => (await send(`${service.url}/readyz`)).status === 200);
  service.child.kill('SIGTERM');
  await until(async () => (await send(`${service.url}/readyz`)).status === 503);
  const responses = await sendRaw(service.url, `${rawPostHead('Content-Length: 2')}{}`.repeat(3));
  assert.is(responses.match(/HTTP\/1.1 201 /g)?.length, 3);
  assert.is(responses.match(/Connection: close/g)?.length, 1);
  assert.is(await service.exited, 0);
});

drain('a body that does not end delays the exit by at most DRAIN_TIMEOUT_MS', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '300' });
  const { finish } = beginPost(service.url, {});
  await until(async () => (await send(`${service.url}/readyz`)).status === 200);
  assert.is(await stop(service), 0);
  assert.is(await finish(), 'ECONNRESET');
  assert.ok(service.lines.some(({ level }) => level === 'warn'));
});

drain('a second signal ends the process at once', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '60000' });
  service.child.kill('SIGTERM');
  await until(async () => (await send(`${service.url}/readyz`)).json.detail.includes('shutting'));
  service.child.kill('SIGINT');
  assert.is(await service.exited, 1);
});

for (const seed of [1, 2, 3]) {
  drain(`no connection is reset when the process is paused at random (seed ${seed})`, async () => {
    const service = await startProcess({ DRAIN_DELAY_MS: '1000' });
    await until(async () => (await send(`${service.url}/readyz`)).status === 200);
    const clients = Array.from({ length: 50 }, (_, n) => keepRequesting(service.url, n % 2 === 0));
    await sleep(200);
    service.child.kill('SIGTERM');
    const random = randomOf(seed);
    const pausing = (async () => {
      while (service.child.exitCode === null) {
        await sleep(random(50, 400));
        service.child.kill('SIGSTOP');
        await sleep(random(50, 500));
        service.child.kill('SIGCONT');
      }
    })();
    const results = await Promise.all(clients);
    assert.equal([...new Set(results.map(({ code }) => code))], ['ECONNREFUSED']);
    assert.ok(results.every(({ completed }) => completed > 0));
    assert.is(await service.exited, 0);
    await pausing;
  });
}

drain('the same signal again does not end the process at once', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '500' });
  service.child.kill('SIGTERM');
  service.child.kill('SIGTERM');
  await until(async () => (await send(`${service.url}/readyz`)).status === 503);
  service.child.kill('SIGTERM');
  assert.is(await service.exited, 0);
});

drain.after.each(killProcesses);
drain.run();

const output = suite('standard output');

/** Starts the service with another standard output, where no port can be read from the log. */
async function startWith(stdout: 'pipe' | number, command = 'exec "$0" dist/main.js') {
  const port = await freePort();
  const child = spawn('sh', ['-c', command, process.execPath], {
    env: { ...process.env, PORT: String(port), DRAIN_DELAY_MS: '0' },
    stdio: ['ignore', stdout, 'inherit'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal);
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await send(`${url}/time`)).status === 200);
  return { url, child, exited };
}

/** Makes the service log more than a pipe and the backlog of 1 MiB hold. */
async function fillLog(url: string): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const { socket, responses } = openConnection(url);
    socket.write(rawGet('/time').repeat(1000));
    assert.is((await responses(1000)).length, 1000);
    socket.destroy();
  }
}

output('when its reader stops, lines are dropped and counted', async () => {
  const { url, child, exited } = await startWith('pipe');
  await fillLog(url);
  const lines: string[] = [];
  createInterface(child.stdout as Readable).on('line', (line) => lines.push(line));
  await until(async () => lines.length > 0 && (await send(`${url}/livez`)).status === 200);
  await send(`${url}/nothing`);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
  const messages = lines.map((line): string => JSON.parse(line).msg);
  const dropped = messages.map((msg) => Number(/^(\d+) lines .* dropped$/.exec(msg)?.[1] ?? 0));
  const count = dropped.reduce((sum, n) => sum + n, 0);
  assert.ok(count > 0);
  const written = messages.filter((msg) => msg === 'request').length;
  assert.ok(written + count >= 10_000, `${written} and ${count}`);
  assert.is(messages.at(-1), 'stopped');
});

output('when its reader stops for good, the service still exits', async () => {
  const { url, child, exited } = await startWith('pipe');
  await fillLog(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('its reader may be gone', async () => {
  const { url, child, exited } = await startWith('pipe');
  child.stdout?.destroy();
  await fillLog(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('the disk may be full', async () => {
  if (!existsSync('/dev/full')) return console.log('skipped: there is no /dev/full');
  const full = openSync('/dev/full', 'w');
  const { url, child, exited } = await startWith(full);
  closeSync(full);
  await fillLog(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('it may be closed', async () => {
  const { url, child, exited } = await startWith('pipe', 'exec "$0" dist/main.js <&- >&- 2>&-');
  await fillLog(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('the service exits when its terminal is closed', async () => {
  const terminal = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
sys.stdin.readline()
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
  if (spawnSync('python3', ['-c', 'import pty']).status !== 0) {
    return console.log('skipped: there is no python3 with pty');
  }
  const port = await freePort();
  const child = spawn('python3', ['-c', terminal, process.execPath, 'dist/main.js'], {
    env: { ...process.env, PORT: String(port), DRAIN_DELAY_MS: '0' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await send(`${url}/time`)).status === 200);
  child.stdin.end('\n');
  assert.is((await child.stdout.setEncoding('utf8').toArray()).join('').trim(), '0');
});

output.run();

const fault = suite('faults of MongoDB', { directory: '' });
fault.before(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'fault-'));
});
fault.after(({ directory }) => rm(directory, { recursive: true }));

fault('frozen: quick 503s, still ready, and writes succeed afterwards', async ({ directory }) => {
  const database = await startDatabase({ directory });
  const service = await startProcess({ MONGODB_URI: database.uri, MONGO_TIMEOUT_MS: '1000' });
  try {
    assert.is((await post(`${service.url}/data`, { before: true })).status, 201);
    process.kill(database.pid, 'SIGSTOP');
    const responses = await Promise.all([
      post(`${service.url}/data`, { frozen: true }),
      send(`${service.url}/data`),
    ]);
    assert.match(responses[0].json.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    for (const response of responses) {
      assert.is(response.status, 503);
      assert.is(response.json.type, 'urn:problem-type:database-unavailable');
    }
    await until(async () => {
      const { status, json } = await send(`${service.url}/readyz`);
      assert.is(status, 200);
      return json.database === 'unreachable';
    });
    process.kill(database.pid, 'SIGCONT');
    await until(async () => (await post(`${service.url}/data`, { after: true })).status === 201);
    assert.is((await send(`${service.url}/readyz`)).json.database, 'reachable');
  } finally {
    process.kill(database.pid, 'SIGCONT');
    await stop(service);
    await database.stop();
  }
});

fault('killed during writes: each acknowledged document is stored once', async ({ directory }) => {
  const first = await startDatabase({ directory });
  const writing = await startProcess({ MONGODB_URI: first.uri, MONGO_TIMEOUT_MS: '2000' });
  const acknowledged: string[] = [];
  let killed = false;
  const writers = Array.from({ length: 20 }, async () => {
    for (;;) {
      const { status, json } = await post(`${writing.url}/data`, { text: 'x'.repeat(500) });
      if (status === 201) acknowledged.push(json.id);
      else if (killed) return status; // an earlier error means a slow machine
      if (acknowledged.length > 200 && !killed) killed = process.kill(first.pid, 'SIGKILL');
    }
  });
  const statuses = await Promise.all(writers);
  const errors = writing.lines.filter(({ level }) => level === 'error');
  assert.equal([...new Set(statuses)], [503], JSON.stringify(errors));
  await stop(writing);
  await first.stop();

  const second = await startDatabase({ directory });
  const reading = await startProcess({ MONGODB_URI: second.uri, MONGO_TIMEOUT_MS: '60000' });
  try {
    const stored: string[] = [];
    for (let query = '?limit=200'; query; ) {
      const { json } = await send(`${reading.url}/data${query}`);
      stored.push(...json.items.map(({ id }: { id: string }) => id));
      query = json.next ? `?limit=200&cursor=${json.next}` : '';
    }
    assert.is(new Set(stored).size, stored.length);
    assert.equal(
      acknowledged.filter((id) => !stored.includes(id)),
      [],
    );
  } finally {
    await stop(reading);
    await second.stop();
  }
});

fault.after.each(killProcesses);
fault.run();

function stop(service: Process): Promise<number | string> {
  service.child.kill('SIGTERM');
  return service.exited;
}

async function startFailing(
  env: Record<string, string>,
): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (bytes) => (output += bytes));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** Starts a post, whose body ends when `finish` is called. */
function beginPost(url: string, body: unknown) {
  const text = JSON.stringify(body);
  const req = request(`${url}/data`, {
    method: 'POST',
    agent: new Agent({ keepAlive: true }),
    headers: { 'Content-Type': 'application/json', 'Content-Length': text.length },
  });
  const response = new Promise<string>((resolve) => {
    req.on('response', (res) => {
      res.resume().on('end', () => resolve(`${res.statusCode} ${res.headers.connection}`));
    });
    req.on('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
  });
  req.write(text.slice(0, 1));
  return {
    finish() {
      req.end(text.slice(1));
      return response;
    },
  };
}

/** A client that sends requests on one connection until one fails. */
async function keepRequesting(
  url: string,
  posts = false,
): Promise<{ completed: number; code: unknown }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let completed = 0; ; completed++) {
    try {
      await new Promise<void>((resolve, reject) => {
        const [path, method] = posts ? ['/data', 'POST'] : ['/time', 'GET'];
        const headers = { 'Content-Type': 'application/json' };
        request(url + path, { agent, method, headers }, (res) => {
          res.resume().on('end', resolve).on('error', reject);
        })
          .on('error', reject)
          .end(posts ? '{}' : undefined);
      });
    } catch (error) {
      agent.destroy();
      return { completed, code: (error as NodeJS.ErrnoException).code };
    }
  }
}

/** Random numbers within a range, repeatable by seed (a linear congruential generator). */
function randomOf(seed: number): (from: number, to: number) => number {
  let state = seed;
  return (from, to) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return from + ((to - from) * state) / 2 ** 32;
  };
}
