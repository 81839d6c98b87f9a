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
  converse,
  exchange,
  getText,
  killProcesses,
  type Process,
  post,
  postHead,
  send,
  startProcess,
  until,
} from './testing/testing';

const nowhere = 'mongodb://app:s3cret@127.0.0.1:1/?authSource=admin';

const start = suite('start');

start('a bad configuration is told in one error', async () => {
  const { code, output } = await failing({ PORT: 'http', MONGO_POOL_SIZE: 'many' });
  assert.is(code, 1);
  assert.match(output, /PORT: must be a whole number.*\n.*MONGO_POOL_SIZE: must be/);
  assert.not.match(output, /\n\s+at /);
});

start('a URI that the driver refuses is told without its password', async () => {
  for (const uri of [
    'mongodb://app:s3cret@',
    'mongodb://app:s3c@ret@db',
    'mongodb://app:s3cret@db/?a=b',
  ]) {
    const { code, output } = await failing({ MONGODB_URI: uri });
    assert.is(code, 1);
    assert.match(output, 'MONGODB_URI');
    assert.not.match(output, /s3c/);
  }
});

start('a taken port is told', async () => {
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { code, output } = await failing({ PORT: String(port) });
  taken.close();
  assert.is(code, 1);
  assert.match(output, `Port ${port} is taken. Set PORT to one that is free.`);
});

start.run();

const away = suite('without a database');

away('the service is alive, not ready, and answers 503', async () => {
  const service = await startProcess({ MONGODB_URI: nowhere, MONGO_TIMEOUT_MS: '500' });
  assert.is((await send(`${service.url}/livez`)).status, 200);
  assert.is((await send(`${service.url}/time`)).status, 200);
  const ready = await send(`${service.url}/readyz`);
  assert.is(ready.status, 503);
  assert.is(ready.json.type, 'urn:problem-type:not-ready');
  for (const answer of [await send(`${service.url}/data`), await post(`${service.url}/data`, {})]) {
    assert.is(answer.status, 503);
    assert.is(answer.json.type, 'urn:problem-type:database-unavailable');
    assert.is(answer.headers.get('retry-after'), '1');
  }
  assert.is(await stop(service), 0);
  assert.not.match(JSON.stringify(service.lines), 's3cret');
});

away.after.each(killProcesses);
away.run();

const log = suite('log');

log('one line a request, without query, body and credentials', async () => {
  const service = await startProcess();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await send(`${service.url}/time?tz=Asia/Tokyo`, { headers: { 'X-Request-Id': 'abc' } });
  await send(`${service.url}/nothing`, {
    headers: { traceparent, Authorization: 'Basic c2VjcmV0' },
  });
  await post(`${service.url}/data`, { secret: 'body' });
  assert.is(await stop(service), 0);

  const requests = service.lines.filter(({ msg }) => msg === 'request');
  assert.equal(
    requests.map(({ method, path, status }) => [method, path, status]),
    [
      ['GET', '/time', 200],
      ['GET', '/nothing', 404],
      ['POST', '/data', 201],
    ],
  );
  assert.is(requests[0]?.requestId, 'abc');
  assert.is(requests[1]?.traceparent, traceparent);
  assert.ok(requests.every(({ ms, requestId }) => typeof ms === 'number' && requestId));
  const text = JSON.stringify(service.lines);
  assert.not.match(text, /Tokyo|c2VjcmV0|body/);
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

log('no two processes give a request the same id', async () => {
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
  drain(`${signal} answers what is under way and what still comes, then exits 0`, async () => {
    const service = await startProcess({ DRAIN_DELAY_MS: '1000' });
    await until(async () => (await send(`${service.url}/readyz`)).status === 200);

    const posts = Array.from({ length: 50 }, (_, n) => beginPost(service.url, { n }));
    const clients = Array.from({ length: 50 }, () => keepAsking(service.url));
    await sleep(300);
    service.child.kill(signal);
    await until(async () => (await send(`${service.url}/readyz`)).status === 503);
    // half of the bodies end while connections are still accepted, half after that
    const early = posts.slice(0, 25).map(({ finish }) => finish());
    await sleep(1200);
    const late = posts.slice(25).map(({ finish }) => finish());

    const answers = await Promise.all([...early, ...late]);
    assert.equal([...new Set(answers)], ['201 close']);
    const ends = await Promise.all(clients);
    assert.equal([...new Set(ends.map(({ code }) => code))], ['ECONNREFUSED']);
    assert.ok(ends.every(({ answered }) => answered > 0));
    assert.is(await service.exited, 0);
  });
}

drain('a connection on which nothing came does not hold it up', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '60000' });
  const unused = connect(Number(new URL(service.url).port), '127.0.0.1');
  await once(unused, 'connect');
  await until(async () => (await send(`${service.url}/readyz`)).status === 200);
  assert.is(await stop(service), 0);
  assert.not(service.lines.some(({ msg }) => String(msg).includes('cut off')));
  unused.destroy();
});

drain('nor does one that stays open after what is no HTTP', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '60000' });
  const port = Number(new URL(service.url).port);
  const open = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  open.write('nonsense\r\n\r\n');
  await once(open.resume(), 'end');
  assert.is(await stop(service), 0);
  assert.not(service.lines.some(({ msg }) => String(msg).includes('cut off')));
  open.destroy();
});

drain('requests that come on one connection are all answered', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '1000' });
  await until(async () => (await send(`${service.url}/readyz`)).status === 200);
  service.child.kill('SIGTERM');
  await until(async () => (await send(`${service.url}/readyz`)).status === 503);
  const answers = await exchange(service.url, `${postHead('Content-Length: 2')}{}`.repeat(3));
  assert.is(answers.match(/HTTP\/1.1 201 /g)?.length, 3);
  assert.is(answers.match(/Connection: close/g)?.length, 1);
  assert.is(await service.exited, 0);
});

drain('a body that does not end holds it up no longer than DRAIN_TIMEOUT_MS', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '300' });
  const { finish } = beginPost(service.url, {});
  await until(async () => (await send(`${service.url}/readyz`)).status === 200);
  assert.is(await stop(service), 0);
  assert.is(await finish(), 'ECONNRESET');
  assert.ok(service.lines.some(({ level }) => level === 'warn'));
});

drain('a second signal ends it at once', async () => {
  const service = await startProcess({ DRAIN_DELAY_MS: '60000' });
  service.child.kill('SIGTERM');
  await until(async () => (await send(`${service.url}/readyz`)).json.detail.includes('shutting'));
  service.child.kill('SIGINT');
  assert.is(await service.exited, 1);
});

for (const seed of [1, 2, 3]) {
  drain(`nothing is reset when the process gets no CPU at moments (seed ${seed})`, async () => {
    const service = await startProcess({ DRAIN_DELAY_MS: '1000' });
    await until(async () => (await send(`${service.url}/readyz`)).status === 200);
    const clients = Array.from({ length: 50 }, (_, n) => keepAsking(service.url, n % 2 === 0));
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
    const ends = await Promise.all(clients);
    assert.equal([...new Set(ends.map(({ code }) => code))], ['ECONNREFUSED']);
    assert.ok(ends.every(({ answered }) => answered > 0));
    assert.is(await service.exited, 0);
    await pausing;
  });
}

drain('the echo of a signal does not end it at once', async () => {
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

/** Starts the service with this as standard output, on a port that is known before. */
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

/** Has it write more than a pipe takes and than waits for its reader: over 1 MiB. */
async function writeMuch(url: string): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const { socket, answers } = converse(url);
    socket.write(getText('/time').repeat(1000));
    assert.is((await answers(1000)).length, 1000);
    socket.destroy();
  }
}

output('whose reader stops costs lines, which are counted', async () => {
  const { url, child, exited } = await startWith('pipe');
  await writeMuch(url);
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

output('whose reader never reads again does not hold up the end', async () => {
  const { url, child, exited } = await startWith('pipe');
  await writeMuch(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('whose reader is gone', async () => {
  const { url, child, exited } = await startWith('pipe');
  child.stdout?.destroy();
  await writeMuch(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('on a full disk', async () => {
  if (!existsSync('/dev/full')) return console.log('skipped: there is no /dev/full');
  const full = openSync('/dev/full', 'w');
  const { url, child, exited } = await startWith(full);
  closeSync(full);
  await writeMuch(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('that is closed', async () => {
  const { url, child, exited } = await startWith('pipe', 'exec "$0" dist/main.js <&- >&- 2>&-');
  await writeMuch(url);
  child.kill('SIGTERM');
  assert.is(await exited, 0);
});

output('a terminal that goes ends it', async () => {
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

const fault = suite('faults of the database', { directory: '' });
fault.before(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'fault-'));
});
fault.after(({ directory }) => rm(directory, { recursive: true }));

fault('frozen: a quick 503, still ready, and back when it is', async ({ directory }) => {
  const database = await startDatabase({ directory, say: () => {} });
  const service = await startProcess({ MONGODB_URI: database.uri, MONGO_TIMEOUT_MS: '1000' });
  try {
    assert.is((await post(`${service.url}/data`, { before: true })).status, 201);
    process.kill(database.pid, 'SIGSTOP');
    const answers = await Promise.all([
      post(`${service.url}/data`, { frozen: true }),
      send(`${service.url}/data`),
    ]);
    assert.match(answers[0].json.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    for (const answer of answers) {
      assert.is(answer.status, 503);
      assert.is(answer.json.type, 'urn:problem-type:database-unavailable');
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

fault('killed while it writes: each acknowledged document is there once', async ({ directory }) => {
  const first = await startDatabase({ directory, say: () => {} });
  const writing = await startProcess({ MONGODB_URI: first.uri, MONGO_TIMEOUT_MS: '2000' });
  const acknowledged: string[] = [];
  let killed = false;
  const writers = Array.from({ length: 20 }, async () => {
    for (;;) {
      const { status, json } = await post(`${writing.url}/data`, { text: 'x'.repeat(500) });
      if (status === 201) acknowledged.push(json.id);
      else if (killed) return status; // before that, a slow machine
      if (acknowledged.length > 200 && !killed) killed = process.kill(first.pid, 'SIGKILL');
    }
  });
  const ends = await Promise.all(writers);
  const unforeseen = writing.lines.filter(({ level }) => level === 'error');
  assert.equal([...new Set(ends)], [503], JSON.stringify(unforeseen));
  await stop(writing);
  await first.stop();

  const second = await startDatabase({ directory, say: () => {} });
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

async function failing(env: Record<string, string>): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (bytes) => (output += bytes));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** A post whose body ends when it is told to. */
function beginPost(url: string, body: unknown) {
  const text = JSON.stringify(body);
  const req = request(`${url}/data`, {
    method: 'POST',
    agent: new Agent({ keepAlive: true }),
    headers: { 'Content-Type': 'application/json', 'Content-Length': text.length },
  });
  const answer = new Promise<string>((resolve) => {
    req.on('response', (res) => {
      res.resume().on('end', () => resolve(`${res.statusCode} ${res.headers.connection}`));
    });
    req.on('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
  });
  req.write(text.slice(0, 1));
  return {
    finish() {
      req.end(text.slice(1));
      return answer;
    },
  };
}

/** A client that uses its connection again and again, until it gets no answer. */
async function keepAsking(
  url: string,
  posts = false,
): Promise<{ answered: number; code: unknown }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let answered = 0; ; answered++) {
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
      return { answered, code: (error as NodeJS.ErrnoException).code };
    }
  }
}

/** The same numbers between two for the same seed (a linear congruential generator). */
function randomOf(seed: number): (from: number, to: number) => number {
  let state = seed;
  return (from, to) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return from + ((to - from) * state) / 2 ** 32;
  };
}
