import { mock } from 'node:test';
import type { MongoClient } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { healthResources } from '../health';
import { router } from '../http/router';
import { startFakeMongod } from '../testing/fake-mongod';
import { until } from '../testing/testing';
import { createReconnectingClient } from './client';
import { libraries } from './lazy-libraries';
import { createWatchdog } from './watchdog';

const unit = suite('watchdog');
unit.before.each(() => mock.timers.enable({ apis: ['setInterval'] }));
unit.after.each(() => mock.timers.reset());

unit('reports five intervals without an event, and each five more', () => {
  let reports = 0;
  const watchdog = createWatchdog(2000, () => reports++);
  watchdog.start();
  mock.timers.tick(8000);
  assert.is(reports, 0);
  mock.timers.tick(2000);
  assert.is(reports, 1);
  assert.ok(watchdog.healthy());
  mock.timers.tick(10_000);
  assert.is(reports, 2);
  assert.not(watchdog.healthy());
  watchdog.seen();
  assert.ok(watchdog.healthy());
  mock.timers.tick(8000);
  assert.is(reports, 2);
});

unit('reports nothing while events occur, before it starts, and after it stops', () => {
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

const deaf = suite('a driver that has stopped monitoring');

deaf('its client is replaced, and operations continue', async () => {
  const fake = await startFakeMongod();
  let created = 0;
  const client = createReconnectingClient(
    () => {
      created++;
      return clientOf(fake.uri);
    },
    'test',
    300,
    async () => {},
  );
  try {
    const first = await client.session();
    stopMonitors(first.db.client);
    await until(async () => first.retired.aborted);
    assert.ok(created > 1);
    assert.ok(client.isMonitoring());
    const second = await client.session();
    assert.is.not(second, first);
    assert.is((await second.db.command({ ping: 1 })).ok, 1);
  } finally {
    await client.close();
    fake.close();
  }
});

deaf('/livez fails when no new client monitors its server either', async () => {
  const fake = await startFakeMongod();
  // a stand-in for a driver that does nothing any more, as no way is known to bring a real one there
  const dead = {
    db: clientOf(fake.uri).db.bind(clientOf(fake.uri)),
    on() {},
    close: async () => {},
  };
  const hangs = { ...dead, connect: () => new Promise(() => {}) } as unknown as MongoClient;
  let created = 0;
  const client = createReconnectingClient(
    () => (created++ === 0 ? clientOf(fake.uri) : hangs),
    'test',
    50,
    async () => {},
  );
  const status = () => livez(client);
  try {
    const { db } = await client.session();
    assert.is(status(), 200);
    stopMonitors(db.client);
    await until(async () => status() === 503);
    assert.ok(created > 1);
  } finally {
    await client.close();
    fake.close();
  }
});

deaf('a server that is frozen or unreachable is still monitored', async () => {
  const fake = await startFakeMongod();
  let silences = 0;
  const watchdog = createWatchdog(300, () => silences++);
  const client = createReconnectingClient(
    () => clientOf(fake.uri),
    'test',
    300,
    async () => {},
  );
  try {
    const session = await client.session();
    fake.frozen = true;
    client.suspect(session);
    await until(async () => client.state() === 'unreachable');
    watchdog.start(); // as long as the client's own watchdog may wait
    await until(async () => {
      assert.is(livez(client), 200);
      return silences >= 3;
    });
    fake.close();
    await until(async () => {
      assert.is(livez(client), 200);
      return silences >= 6;
    });
  } finally {
    watchdog.stop();
    await client.close();
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

/** Makes a client stop monitoring its servers, for which there is no public API. */
function stopMonitors(client: MongoClient): void {
  const { topology } = client as unknown as {
    topology: { s: { servers: Map<string, { monitor: { close(): void } }> } };
  };
  for (const { monitor } of topology.s.servers.values()) monitor.close();
}

/** The status of the response to a probe. */
function livez(client: ReturnType<typeof createReconnectingClient>): number {
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
  const handle = router(healthResources({ draining: false }, () => client));
  void handle(res.req as never, res as never);
  return status;
}
