import { mock } from 'node:test';
import type { MongoClient } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { healthResources } from '../health';
import { router } from '../http/router';
import { startFakeMongod } from '../testing/fake-mongod';
import { until } from '../testing/testing';
import { keepClient } from './client';
import { libraries } from './lazy-libraries';
import { createWatchdog } from './watchdog';

const unit = suite('watchdog');
unit.before.each(() => mock.timers.enable({ apis: ['setInterval'] }));
unit.after.each(() => mock.timers.reset());

unit('says so after five intervals of silence, and after each five more', () => {
  let said = 0;
  const watchdog = createWatchdog(2000, () => said++);
  watchdog.start();
  mock.timers.tick(8000);
  assert.is(said, 0);
  mock.timers.tick(2000);
  assert.is(said, 1);
  assert.ok(watchdog.healthy());
  mock.timers.tick(10_000);
  assert.is(said, 2);
  assert.not(watchdog.healthy());
  watchdog.seen();
  assert.ok(watchdog.healthy());
  mock.timers.tick(8000);
  assert.is(said, 2);
});

unit('is quiet while something is seen, before it starts, and after it stops', () => {
  const watchdog = createWatchdog(2000, () => assert.unreachable());
  mock.timers.tick(60_000);
  watchdog.start();
  for (let n = 0; n < 20; n++) {
    mock.timers.tick(8000);
    watchdog.seen();
  }
  watchdog.stop();
  mock.timers.tick(60_000);
  assert.ok(watchdog.healthy());
});

unit.run();

const deaf = suite('a driver that has stopped watching');

deaf('its client is replaced, and operations go on', async () => {
  const fake = await startFakeMongod();
  let made = 0;
  const clients = keepClient(
    () => {
      made++;
      return clientOf(fake.uri);
    },
    'test',
    300,
    async () => {},
  );
  try {
    const first = await clients.session();
    stopMonitors(first.db.client);
    await until(async () => first.retired.aborted);
    assert.ok(made > 1);
    assert.ok(clients.watching());
    const second = await clients.session();
    assert.is.not(second, first);
    assert.is((await second.db.command({ ping: 1 })).ok, 1);
  } finally {
    await clients.close();
    fake.close();
  }
});

deaf('when no new client watches either, /livez tells', async () => {
  const fake = await startFakeMongod();
  // stands for a driver that does nothing any more; what would make it so is not known
  const dead = {
    db: clientOf(fake.uri).db.bind(clientOf(fake.uri)),
    on() {},
    close: async () => {},
  };
  const hangs = { ...dead, connect: () => new Promise(() => {}) } as unknown as MongoClient;
  let made = 0;
  const clients = keepClient(
    () => (made++ === 0 ? clientOf(fake.uri) : hangs),
    'test',
    50,
    async () => {},
  );
  const status = () => livez(clients);
  try {
    const { db } = await clients.session();
    assert.is(status(), 200);
    stopMonitors(db.client);
    await until(async () => status() === 503);
    assert.ok(made > 1);
  } finally {
    await clients.close();
    fake.close();
  }
});

deaf('a database that is away or frozen is watched all the time', async () => {
  const fake = await startFakeMongod();
  let silences = 0;
  const watchdog = createWatchdog(300, () => silences++);
  const clients = keepClient(
    () => clientOf(fake.uri),
    'test',
    300,
    async () => {},
  );
  try {
    const session = await clients.session();
    fake.frozen = true;
    clients.suspect(session);
    await until(async () => clients.reach() === 'unreachable');
    watchdog.start(); // lasts as long as that of the clients may
    await until(async () => {
      assert.is(livez(clients), 200);
      return silences >= 3;
    });
    fake.close();
    await until(async () => {
      assert.is(livez(clients), 200);
      return silences >= 6;
    });
  } finally {
    watchdog.stop();
    await clients.close();
  }
});

deaf.run();

function clientOf(uri: string): MongoClient {
  return new (libraries().MongoClient)(uri, {
    heartbeatFrequencyMS: 500,
    connectTimeoutMS: 400,
    serverSelectionTimeoutMS: 400,
    serverMonitoringMode: 'poll',
  });
}

/** Has a client look at no server any more. There is no public way to. */
function stopMonitors(client: MongoClient): void {
  const { topology } = client as unknown as {
    topology: { s: { servers: Map<string, { monitor: { close(): void } }> } };
  };
  for (const { monitor } of topology.s.servers.values()) monitor.close();
}

/** The status of the answer to a probe. */
function livez(clients: ReturnType<typeof keepClient>): number {
  let status = 0;
  const res = {
    req: { headers: {}, method: 'GET', url: '/livez' },
    writeHead: (code: number) => {
      status = code;
      return res;
    },
    write() {},
    end() {},
  };
  const handle = router(healthResources({ draining: false }, () => clients));
  void handle(res.req as never, res as never);
  return status;
}
