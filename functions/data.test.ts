import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Long } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkDocument, toDocument } from './documents/document';
import { indexKeys } from './documents/insert';
import { type PendingDocument, toPendingDocument } from './documents/pending-document';
import { openStore } from './documents/store';
import { parts } from './index';
import { openDatabase } from './mongo/database';
import { Overloaded } from './runtime/errors';
import { createMemory } from './runtime/memory';
import { startFakeMongod } from './testing/fake-mongod';

const { mongo, bodyLimitBytes } = parts().config;

interface Item {
  id: string;
  data: Record<string, unknown>;
}

function open(name: string, uri = mongo.uri) {
  const database = openDatabase(
    { ...mongo, uri, databaseName: `${mongo.databaseName}-${name}` },
    indexKeys,
  );
  const store = openStore(database, createMemory(2 ** 27), mongo.timeoutMs, bodyLimitBytes);
  return {
    async insert(data: object, key?: string): Promise<{ id: string }> {
      const { value, elements } = checkDocument(data);
      return put(toPendingDocument(toDocument(value, elements), key));
    },
    /** Inserts a document without checking it first. */
    insertUnchecked: (data: Record<string, unknown>) =>
      put(toPendingDocument(toDocument(data, 1), undefined)),
    async page(limit: number, cursor?: string): Promise<{ items: Item[]; next: string | null }> {
      const { value, release } = await store.list(limit, cursor);
      release();
      return JSON.parse(String(value.body));
    },
    async find(id: string): Promise<Item> {
      const { value, release } = await store.find(id);
      release();
      return JSON.parse(String(value?.body));
    },
    close: () => database.close(),
  };

  async function put(pending: PendingDocument) {
    await store.insert(pending, performance.now());
    return pending;
  }
}

const pages = suite('pages', { store: open('pages') });
pages.after(({ store }) => store.close());

pages(
  'documents acknowledged before the first page appear exactly once, despite concurrent writes',
  async ({ store }) => {
    const before = await Promise.all(Array.from({ length: 45 }, (_, n) => store.insert({ n })));
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) await store.insert({ concurrent: n });
    })();

    const seen: Item[] = [];
    const sizes: number[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await store.page(10, cursor);
      seen.push(...page.items);
      sizes.push(page.items.length);
      cursor = page.next;
    }
    writing = false;
    await writer;

    const ids = seen.map(({ id }) => id);
    assert.equal(ids, [...new Set(ids)].sort().reverse(), 'newest first, none twice');
    const missing = before.filter(({ id }) => !ids.includes(id));
    assert.equal(missing, []);
    assert.ok(sizes.slice(0, -1).every((size) => size === 10));
  },
);

pages('a full last page has no next', async ({ store }) => {
  const all = await store.page(200);
  const { items, next } = await store.page(all.items.length);
  assert.is(items.length, all.items.length);
  assert.is(next, null);
});

pages('a page of large documents ends early', async () => {
  const store = open('large');
  try {
    const text = 'x'.repeat(2 ** 20);
    for (let n = 0; n < 10; n++) await store.insert({ n, text });
    const first = await store.page(200);
    assert.equal(
      first.items.map(({ data }) => data.n),
      [9, 8, 7, 6, 5, 4, 3, 2],
    );
    const { items, next } = await store.page(200, String(first.next));
    assert.equal(
      items.map(({ data }) => data.n),
      [1, 0],
    );
    assert.is(next, null);
  } finally {
    await store.close();
  }
});

pages('a page ends with the reply of MongoDB, where not all documents fit into it', async () => {
  // a stand-in, as FerretDB has no limit
  const fake = await startFakeMongod();
  const store = open('cursor', fake.uri);
  const rest = Long.fromString('9007199254740993');
  try {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift((await store.insert({ n })).id);
    fake.handle = ({ find, filter, $db }, proceed) => {
      if (!find) return proceed();
      const { $lt } = (filter as { _id: { $lt: string } })._id;
      const left = ids.filter((id) => id < $lt).map((id) => fake.documents.get(id));
      const id = left.length > 2 ? rest : Long.ZERO;
      return { cursor: { id, ns: `${$db}.documents`, firstBatch: left.slice(0, 2) }, ok: 1 };
    };
    const first = await store.page(10);
    const second = await store.page(10, String(first.next));
    const last = await store.page(10, String(second.next));
    assert.equal(
      [first, second, last].map(({ items, next }) => [items.map(({ id }) => id), next]),
      [
        [ids.slice(0, 2), ids[1]],
        [ids.slice(2, 4), ids[3]],
        [ids.slice(4), null],
      ],
    );
    const closed = fake.commands.filter(({ killCursors }) => killCursors);
    assert.equal(
      closed.map(({ cursors }) => cursors),
      [[rest], [rest]],
    );
  } finally {
    await store.close();
    fake.close();
  }
});

pages('concurrent clients read their own writes', async ({ store }) => {
  const clients = Array.from({ length: 40 }, async (_, client) => {
    for (let n = 0; n < 5; n++) {
      const { id } = await store.insert({ client, n });
      const { items } = await store.page(200);
      assert.ok(items.some((item) => item.id === id));
      assert.is((await store.find(id)).data.client, client);
    }
  });
  await Promise.all(clients);
});

pages.run();

const loss = suite('a lost acknowledgement');

loss('a write is repeated under the same id and stored once', async () => {
  const proxy = await startLossyProxy(mongo.uri);
  const store = open('loss', proxy.uri);
  try {
    for (let n = 0; n < 5; n++) {
      proxy.loseNextAcknowledgement();
      await store.insert({ n });
    }
    assert.is(proxy.lost(), 5);
    const { items } = await store.page(200);
    assert.equal(
      items.map(({ data }) => data.n),
      [4, 3, 2, 1, 0],
    );
  } finally {
    await store.close();
    proxy.close();
  }
});

loss('all writes of a batch are repeated and stored once', async () => {
  const proxy = await startLossyProxy(mongo.uri);
  const store = open('loss-of-many', proxy.uri);
  try {
    await store.insert({ first: true });
    proxy.loseNextAcknowledgement();
    const inserted = await Promise.all(Array.from({ length: 50 }, (_, n) => store.insert({ n })));
    assert.is(proxy.lost(), 1);
    const { items } = await store.page(200);
    assert.equal(
      items.slice(0, -1).map(({ id }) => id),
      inserted.map(({ id }) => id).reverse(),
    );
  } finally {
    await store.close();
    proxy.close();
  }
});

loss.run();

const expired = suite('expired requests');

expired('are not sent', async () => {
  const database = openDatabase(mongo);
  try {
    await database.ready(performance.now());
    let sent = false;
    const error = await database
      .run(
        'find',
        async () => {
          sent = true;
        },
        performance.now() - mongo.timeoutMs,
      )
      .catch((reason) => reason);
    assert.instance(error, Overloaded);
    assert.not(sent);
  } finally {
    await database.close();
  }
});

expired.run();

const neighbours = suite('documents in one batch', { store: open('neighbours') });
neighbours.after(({ store }) => store.close());

for (const [what, bad] of [
  ["the driver can't encode", { _bsontype: 'Nonsense' }],
  // FerretDB refuses these, MongoDB accepts them
  ['MongoDB refuses', { 'a.b': [[1]] }],
] as const) {
  neighbours(`a document that ${what} does not affect the others`, async ({ store }) => {
    const isAccepted = await store.insertUnchecked(bad).then(
      () => true,
      () => false,
    );
    const { items: before } = await store.page(200);
    const all = Array.from({ length: 21 }, (_, n) => (n === 10 ? bad : { n }));
    const outcomes = await Promise.allSettled(all.map((data) => store.insertUnchecked(data)));
    const failed = outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []));
    assert.equal(failed, isAccepted ? [] : [10]);

    const { items } = await store.page(200);
    assert.equal(
      items.slice(0, items.length - before.length).map(({ data }) => data),
      all.filter((_, n) => !failed.includes(n)).reverse(),
    );
  });
}

neighbours.run();

/** A proxy in front of the real database that can cut a connection after an insert. */
async function startLossyProxy(uri: string) {
  const target = new URL(uri.replace('mongodb:', 'http:'));
  let armed = false;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let cutOnReply = false;
    client.on('data', (bytes) => {
      if (armed && bytes.includes('insert')) {
        armed = false;
        cutOnReply = true;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (!cutOnReply) return client.write(bytes);
      lost++;
      client.destroy();
      return upstream.destroy();
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {}).on('close', () => other.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    uri: uri.replace(target.host, `127.0.0.1:${port}`),
    loseNextAcknowledgement: () => {
      armed = true;
    },
    lost: () => lost,
    close: () => server.close(),
  };
}
