import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startDatabase } from '../../tools/database/embedded-database';
import { type FaultyProxy, startProxy } from '../../tools/network/faulty-proxy';
import { checkDocument, toDocument } from '../documents/document';
import { insertBatch } from '../documents/insert';
import { toPendingDocument } from '../documents/pending-document';
import { parts } from '../index';
import { deferred } from '../runtime/deferred';
import { Unavailable } from '../runtime/errors';
import { startFakeMongod } from '../testing/fake-mongod';
import { killProcesses, post, send, startProcess, startService, until } from '../testing/testing';
import { type Database, openDatabase } from './database';

const { mongo } = parts().config;

const target = new URL(mongo.uri.replace('mongodb:', 'http:'));

/** The URI of the real database through a proxy. */
const through = ({ port }: FaultyProxy) => mongo.uri.replace(target.host, `127.0.0.1:${port}`);

function find(database: Database): Promise<unknown> {
  return database.run('find', ({ documents, signal, maxTimeMS }) =>
    documents.findOne({ _id: 'none' }, { signal, maxTimeMS }),
  );
}

/** The cause of the Unavailable error with which an operation fails. */
async function causeOf(operation: Promise<unknown>): Promise<string> {
  const error = await operation.catch((thrown) => thrown);
  assert.instance(error, Unavailable);
  return String((error as Unavailable).cause);
}

const recovery = suite('recovery');

for (const kind of ['streamed', 'polled', 'real'] as const) {
  recovery(`${kind}: operations succeed without an error after every kind of cut`, async () => {
    const fake = await startFakeMongod({ streaming: kind === 'streamed' });
    const proxy = await startProxy(kind === 'real' ? Number(target.port) : fake.port);
    const uri = kind === 'real' ? through(proxy) : `mongodb://127.0.0.1:${proxy.port}/`;
    const database = openDatabase({ ...mongo, uri, timeoutMs: 20_000 });
    const cuts: Record<string, () => void> = {
      'ended, oldest first': () => proxy.end('oldest'),
      'ended, newest first': () => proxy.end('newest'),
      reset: () => proxy.reset(),
      'dead silently': () => {
        proxy.blackHole(true);
        proxy.fill();
      },
      'accepting no data': () => {
        proxy.blackHole(false);
        proxy.fill();
      },
    };
    try {
      for (const [what, cut] of Object.entries(cuts)) {
        for (let trial = 0; trial < (what.startsWith('ended') ? 3 : 1); trial++) {
          await find(database);
          const inFlight = [find(database), find(database)];
          cut();
          await Promise.all(inFlight);
          await Promise.all([find(database), find(database)]);
          assert.is(database.state(), 'reachable', what);
          assert.ok(database.isMonitoring(), what);
        }
      }
    } finally {
      await database.close();
      proxy.close();
      fake.close();
    }
  });
}

recovery('an operation that succeeds on an old connection ends an outage', async () => {
  const fake = await startFakeMongod();
  const proxy = await startProxy(fake.port);
  const uri = `mongodb://127.0.0.1:${proxy.port}/`;
  const database = openDatabase({ ...mongo, uri, timeoutMs: 60_000 });
  try {
    await find(database);
    proxy.target = 1; // new connections are reset
    const held = deferred<void>();
    fake.handle = (_, proceed) => held.promise.then(proceed);
    const slow = find(database);
    await until(async () => database.state() === 'unreachable');
    held.resolve();
    await slow;
    assert.is(database.state(), 'reachable');
    await find(database);
  } finally {
    await database.close();
    proxy.close();
    fake.close();
  }
});

recovery('a late reply on an old connection does not end an outage of the server', async () => {
  const fake = await startFakeMongod();
  const proxy = await startProxy(fake.port);
  const uri = `mongodb://127.0.0.1:${proxy.port}/`;
  const database = openDatabase({ ...mongo, uri, timeoutMs: 60_000 });
  try {
    await find(database);
    proxy.target = 1; // new connections are reset
    const held = deferred<void>();
    const arrived = deferred<void>();
    fake.handle = (_, proceed) => {
      arrived.resolve();
      return held.promise.then(proceed);
    };
    const slow = find(database);
    await arrived.promise;
    proxy.cut('database', 1, 0); // the next heartbeat
    await until(async () => database.state() === 'unreachable');
    held.resolve();
    await slow;
    assert.is(database.state(), 'unreachable');
    proxy.target = fake.port;
    await find(database);
    assert.is(database.state(), 'reachable');
  } finally {
    await database.close();
    proxy.close();
    fake.close();
  }
});

recovery('connections return to the pool after writes of large documents were stuck', async () => {
  const proxy = await startProxy(Number(target.port));
  const checkedOut = new Set<unknown>();
  const database = openDatabase(
    { ...mongo, uri: through(proxy), poolSize: 2, timeoutMs: 1000 },
    async ({ db: { client } }) => {
      const name = ({ address, connectionId }: { address: string; connectionId: unknown }) =>
        `${address} ${connectionId} ${clients.indexOf(client)}`;
      clients.push(client);
      client.on('connectionCheckedOut', (event) => checkedOut.add(name(event)));
      client.on('connectionCheckedIn', (event) => checkedOut.delete(name(event)));
    },
  );
  const clients: MongoClient[] = [];
  const text = 'x'.repeat(2 ** 20);
  const insert = async (count: number) => {
    const batch = Array.from({ length: count }, (_, n) => {
      const { value, elements } = checkDocument({ n, text });
      return toPendingDocument(toDocument(value, elements), undefined);
    });
    return (await insertBatch(database, batch, performance.now())).outcomes;
  };
  try {
    await until(async () => (await insert(1))[0] === undefined);
    for (let freeze = 0; freeze < 2; freeze++) {
      proxy.blackHole(false);
      // more than the kernel buffers, so that the driver's writes get stuck
      const outcomes = await Promise.all([insert(12), insert(12), insert(12)]);
      for (const error of outcomes.flat()) assert.instance(error, Unavailable);
      await until(async () => checkedOut.size === 0);
      proxy.fill();
      await until(async () => (await insert(1))[0] === undefined);
    }
    // a heartbeat of the frozen time may still time out, and cost these more than their second
    const found = () => Promise.all([find(database), find(database), find(database)]);
    await until(async () => Boolean(await found()));
    await until(async () => checkedOut.size === 0);
  } finally {
    await database.close();
    proxy.close();
  }
});

recovery.run();

const deadline = suite('one deadline');

deadline('a post that got a 503 while MongoDB was unreachable is never stored', async () => {
  const proxy = await startProxy(Number(target.port));
  proxy.refuse();
  const service = await startService({ uri: through(proxy), timeoutMs: 300 });
  const url = `${service.url}/data`;
  try {
    const early = await Promise.all([post(url, { n: 1 }), post(url, { n: 2 })]);
    for (const { status, json, headers } of early) {
      assert.is(status, 503);
      assert.is(json.type, 'urn:problem-type:database-unavailable');
      assert.match(json.detail, /^Nothing was stored\./);
      assert.is(headers.get('retry-after'), '1');
    }
    await proxy.accept();
    await until(async () => (await post(url, { after: true })).status === 201);
    for (const { json } of early) assert.is((await send(`${url}/${json.id}`)).status, 404);
  } finally {
    await service.close();
    proxy.close();
  }
});

deadline('a request that fails before the first attempt to connect does says why', async () => {
  const database = openDatabase({ ...mongo, uri: 'mongodb://127.0.0.1:1', timeoutMs: 5000 });
  const waitingSince = performance.now() - 3000;
  try {
    const ping = database.run('ping', ({ db }) => db.command({ ping: 1 }), waitingSince);
    assert.match(await causeOf(ping), 'ECONNREFUSED');
  } finally {
    await database.close();
  }
});

deadline('requests fail at once when MongoDB has been unreachable for as long', async () => {
  const proxy = await startProxy(Number(target.port));
  const database = openDatabase({ ...mongo, uri: through(proxy), timeoutMs: 2000 });
  try {
    await find(database);
    proxy.refuse();
    assert.match(await causeOf(find(database)), /ECONN|closed|in time/);
    await until(async () => {
      const inTime = sleep(1000, 'waits', { ref: false });
      return (await Promise.race([find(database).catch(() => 'at once'), inTime])) === 'at once';
    });
    assert.is(database.state(), 'unreachable');
    assert.ok(database.isMonitoring());
    await proxy.accept();
    await until(async () => (await find(database)) === null);
    assert.is(database.state(), 'reachable');
  } finally {
    await database.close();
    proxy.close();
  }
});

deadline('an operation that hangs is aborted, in the driver too', async () => {
  const fake = await startFakeMongod();
  const database = openDatabase({ ...mongo, uri: fake.uri, timeoutMs: 500 });
  try {
    await find(database);
    fake.handle = (command, proceed) => (command.find ? undefined : proceed());
    assert.match(await causeOf(find(database)), /did not reply in time/);
    const bounds = fake.commands.flatMap(({ find, maxTimeMS }) => (find ? [maxTimeMS] : []));
    assert.ok(bounds.every((ms) => Number(ms) <= 500));
    fake.handle = (_, proceed) => proceed();
    await until(async () => (await find(database)) === null);
  } finally {
    await database.close();
    fake.close();
  }
});

deadline('an operation is not retried after an error of our own', async () => {
  const database = openDatabase(mongo);
  let tries = 0;
  try {
    const own = new TypeError('a bug');
    const error = await database
      .run('find', async () => {
        tries++;
        throw own;
      })
      .catch((thrown) => thrown);
    assert.is(error, own);
    assert.is(tries, 1);
  } finally {
    await database.close();
  }
});

deadline.run();

const log = suite('log', { directory: '' });
log.before(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'fault-'));
});
log.after(({ directory }) => rm(directory, { recursive: true }));
log.after.each(killProcesses);

log('a dropped user is logged once, until the user is back', async ({ directory }) => {
  const database = await startDatabase({ directory });
  const admin = await new MongoClient(database.uri).connect();
  const users = admin.db('admin');
  const proxy = await startProxy(database.port);
  const add = (password: string) =>
    users.command({
      createUser: 'service',
      pwd: password,
      roles: database.kind === 'mongod' ? ['root'] : [],
    });
  try {
    await add('secret');
    const service = await startProcess({
      MONGODB_URI: `mongodb://service:secret@127.0.0.1:${proxy.port}/test?authSource=admin`,
      MONGO_TIMEOUT_MS: '1000',
    });
    const url = `${service.url}/data`;
    await until(async () => (await post(url, {})).status === 201);
    await users.command({ dropUser: 'service' });
    proxy.reset();
    await until(async () => (await post(url, {})).status === 503);
    for (let n = 0; n < 5; n++) assert.is((await post(url, {})).status, 503);
    assert.is((await send(`${service.url}/livez`)).status, 200);

    const about = (text: string) =>
      service.lines.filter(({ msg }) => String(msg).includes(text)) as Record<string, string>[];
    await until(async () => about('a request failed').length > 0); // lines are buffered briefly
    const causes = about('MongoDB is unreachable').filter(({ reason }) =>
      /Authentication failed/i.test(String(reason)),
    );
    assert.is(causes.length, 1, JSON.stringify(service.lines));
    const failures = about('a request failed').filter(({ reason }) =>
      /Authentication failed/i.test(String(reason)),
    );
    assert.is(failures.length, 1, JSON.stringify(service.lines));
    assert.ok(failures[0]?.requestId);
    assert.is(about('MongoDB is reachable').length, 1);

    await add('secret');
    await until(async () => (await post(url, {})).status === 201);
    await until(async () => about('MongoDB is reachable').length === 2);
    service.child.kill('SIGTERM');
    assert.is(await service.exited, 0);
  } finally {
    proxy.close();
    await admin.close();
    await database.stop();
  }
});

log.run();

const shutdown = suite('shutdown');
shutdown.after.each(killProcesses);

for (const [what, fault] of [
  ['frozen', (proxy: FaultyProxy) => proxy.blackHole(false)],
  ['unreachable', (proxy: FaultyProxy) => proxy.blackHole(true)],
  ['down', (proxy: FaultyProxy) => proxy.refuse()],
] as const) {
  shutdown(`SIGTERM ends the service while MongoDB is ${what}`, async () => {
    const proxy = await startProxy(Number(target.port));
    try {
      const service = await startProcess({
        MONGODB_URI: through(proxy),
        MONGO_DATABASE: mongo.databaseName,
        MONGO_POOL_SIZE: '2',
        MONGO_TIMEOUT_MS: '60000',
        DRAIN_TIMEOUT_MS: '500',
      });
      await until(async () => (await post(`${service.url}/data`, {})).status === 201);
      fault(proxy);
      const text = 'x'.repeat(2 ** 20 - 100);
      const lost = Array.from({ length: 12 }, () =>
        post(`${service.url}/data`, { text }).catch(() => 'cut off'),
      );
      service.child.kill('SIGTERM');
      const late = sleep(30_000, 'still running', { ref: false });
      assert.is(await Promise.race([service.exited, late]), 0);
      await Promise.all(lost);
    } finally {
      proxy.close();
    }
  });
}

shutdown.run();
