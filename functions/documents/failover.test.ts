import { MongoClient, ObjectId } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startProxy } from '../../tools/network/faulty-proxy';
import { type FakeMongod, type Reply, startFakeMongod } from '../testing/fake-mongod';
import { type Host, post, send, startService, until } from '../testing/testing';

// A post while the primary of a replica set changes. Stand-ins do what no real set can be made to do at a
// given moment; the suite at the end does what a real server can.

const failure = (code: number): Reply => ({ ok: 0, code, errmsg: `error ${code}` });
const unconfirmed = {
  writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
};

/** What a client gets from a primary that steps down or dies: the code of an error, or else. */
const faults = [10_107, 91, 11_600, 189, 'write concern error 64', 'dropped connection'] as const;
type Fault = (typeof faults)[number];

/** What becomes of the document that it was sent. */
const fates = ['not stored', 'stored and rolled back', 'stored and replicated'] as const;
type Fate = (typeof fates)[number];

interface ReplicaSet {
  uri: string;
  /** The primary at first. */
  old: FakeMongod;
  next: FakeMongod;
  /** Makes a member the primary, or none. */
  elect(primary?: FakeMongod): void;
  close(): void;
}

async function startReplicaSet(): Promise<ReplicaSet> {
  const old = await startFakeMongod({ streaming: false });
  const next = await startFakeMongod({ streaming: false });
  const members = [old, next];
  const hosts = members.map(({ port }) => `127.0.0.1:${port}`);
  let term = 0;
  function elect(primary?: FakeMongod): void {
    term++;
    for (const [i, member] of members.entries()) {
      const isPrimary = member === primary;
      member.hello = {
        setName: 'rs0',
        setVersion: 1,
        hosts,
        me: hosts[i],
        isWritablePrimary: isPrimary,
        ismaster: isPrimary,
        secondary: !isPrimary,
        ...(isPrimary && { electionId: ObjectId.createFromTime(term) }),
      };
      member.handle = ({ insert, find }, proceed) =>
        isPrimary || !(insert || find) ? proceed() : failure(10_107);
    }
  }
  elect(old);
  return {
    uri: `mongodb://${hosts.join()}/?replicaSet=rs0`,
    old,
    next,
    elect,
    close() {
      for (const member of members) member.close();
    },
  };
}

/**
 * Lets the old primary fail at the next insert, and no longer be the primary.
 *
 * @param elected is the primary then, if any
 */
function failNextInsert(set: ReplicaSet, fault: Fault, fate: Fate, elected?: FakeMongod): void {
  const { old, next } = set;
  old.handle = (command, proceed) => {
    if (!command.insert) return proceed();
    const stored = fate === 'not stored' ? undefined : proceed();
    if (fate === 'stored and replicated') {
      for (const [id, document] of old.documents) next.documents.set(id, document);
    } else {
      old.documents.clear();
    }
    set.elect(elected);
    if (fault === 'dropped connection') return 'drop';
    return typeof fault === 'number' ? failure(fault) : { ...stored, ...unconfirmed };
  };
}

/** Starts a service on a replica set, and waits until it has reached the primary. */
async function startConnected({ uri }: ReplicaSet, timeoutMs: number): Promise<Host> {
  const service = await startService({ uri, timeoutMs });
  await until(async () => (await send(`${service.url}/data`)).status === 200);
  return service;
}

const idsIn = ({ documents }: FakeMongod) => [...documents.keys()];

const change = suite('a change of primary');

for (const fault of faults) {
  change(`${fault}: a post gets its 201, and is stored once`, async () => {
    const possible = fates.filter(
      (fate) => fault !== 'write concern error 64' || fate !== 'not stored',
    );
    await Promise.all(
      possible.map(async (fate) => {
        const set = await startReplicaSet();
        const service = await startConnected(set, 60_000);
        try {
          failNextInsert(set, fault, fate, set.next);
          const { status, json } = await post(`${service.url}/data`, { fault, fate });
          assert.is(status, 201, fate);
          assert.equal(json.data, { fault, fate });
          assert.equal(idsIn(set.next), [json.id], fate);
          assert.equal((await send(`${service.url}/data/${json.id}`)).json, json, fate);
        } finally {
          await service.close();
          set.close();
        }
      }),
    );
  });
}

change('no 201 before the new primary confirms what the old one stored', async () => {
  const set = await startReplicaSet();
  const { next } = set;
  const service = await startConnected(set, 60_000);
  try {
    failNextInsert(set, 189, 'stored and replicated', next);
    const { elect } = set;
    let refusals = 2;
    set.elect = (primary) => {
      elect(primary);
      next.handle = ({ insert }, proceed) => {
        if (!insert || refusals === 0) return proceed();
        refusals--;
        return { ...proceed(), ...unconfirmed };
      };
    };
    const { status, json } = await post(`${service.url}/data`, {});
    assert.is(status, 201);
    assert.is(refusals, 0);
    assert.equal(idsIn(next), [json.id]);
  } finally {
    await service.close();
    set.close();
  }
});

change('without a new primary in time: 503, and nothing is stored afterwards', async () => {
  await Promise.all(
    faults.map(async (fault) => {
      const set = await startReplicaSet();
      const service = await startConnected(set, 3000);
      try {
        failNextInsert(set, fault, 'stored and rolled back');
        const { status, json } = await post(`${service.url}/data`, {});
        assert.is(status, 503, String(fault));
        assert.match(json.detail, /may be stored/, String(fault));
        set.elect(set.next);
        await until(async () => (await send(`${service.url}/data`)).status === 200);
        assert.equal(idsIn(set.next), [], String(fault));
      } finally {
        await service.close();
        set.close();
      }
    }),
  );
});

change.run();

// With a MongoDB that was started with --setParameter enableTestCommands=1: CONTRIBUTING.md says how.
const uri = process.env.FAIL_COMMAND_URI;
if (uri) {
  const real = suite<{ admin: MongoClient; service: Host }>('a server with failCommand');
  const database = `failover-${new ObjectId()}`;

  /** Makes inserts of the service fail. @param times how many */
  const fail = (admin: MongoClient, times: number, data: Reply) =>
    admin.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: times > 0 ? { times } : 'off',
      data: { failCommands: ['insert'], ...data },
    });

  real.before(async (context) => {
    context.admin = await new MongoClient(uri).connect();
    context.service = await startService({ uri, databaseName: database, timeoutMs: 60_000 });
    await until(async () => (await send(`${context.service.url}/data`)).status === 200);
  });
  real.after.each(({ admin }) => fail(admin, 0, {}).then(() => {}));
  real.after(async ({ admin, service }) => {
    await service.close();
    await admin.db(database).dropDatabase();
    await admin.close();
  });

  /** Posts, and checks that there is one such document. */
  async function postedOnce({ url }: Host, admin: MongoClient): Promise<void> {
    const { status, json } = await post(`${url}/data`, { n: new ObjectId().toHexString() });
    assert.is(status, 201);
    const stored = await admin.db(database).collection('documents').find({ data: json.data });
    assert.equal(
      (await stored.toArray()).map(({ _id }) => String(_id)),
      [json.id],
    );
  }

  for (const [what, data] of [
    ...[10_107, 91, 11_600, 189].map((errorCode) => [`error ${errorCode}`, { errorCode }] as const),
    ['a dropped connection', { closeConnection: true }],
    ['write concern error 64, after the store', unconfirmed],
  ] as const) {
    real(what, async ({ admin, service }) => {
      await fail(admin, 2, data);
      await postedOnce(service, admin);
    });
  }

  real('a dropped connection, after the store', async ({ admin }) => {
    // the driver finds a member of a replica set by its own address, beside the proxy
    if ((await admin.db('admin').command({ hello: 1 })).setName) return;
    const { host, port } = new URL(uri.replace('mongodb:', 'http:'));
    const proxy = await startProxy(Number(port));
    const through = uri.replace(host, `127.0.0.1:${proxy.port}`);
    const own = { uri: through, databaseName: database, timeoutMs: 60_000 };
    const service = await startService(own);
    try {
      await until(async () => (await post(`${service.url}/data`, {})).status === 201);
      proxy.cut('database', 1, 0);
      await postedOnce(service, admin);
    } finally {
      await service.close();
      proxy.close();
    }
  });

  real.run();
}
