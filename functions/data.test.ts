import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Database, openDatabase } from './database';
import { type Item, insertDocument, listDocuments } from './documents';
import { config } from './index';

const { mongo } = config();

const pages = suite('pages', { database: undefined as Database | undefined });
pages.before((context) => {
  context.database = openDatabase({ ...mongo, database: `${mongo.database}-pages` });
});
pages.after((context) => context.database?.close());

pages(
  'what was acknowledged before the first page appears exactly once while others write',
  async ({ database }) => {
    assert.ok(database);
    const before = await Promise.all(
      Array.from({ length: 45 }, (_, n) => insertDocument(database, { n })),
    );
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) await insertDocument(database, { later: n });
    })();

    const seen: Item[] = [];
    const sizes: number[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await listDocuments(database, 10, cursor);
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

pages('a last page that is full has no next', async ({ database }) => {
  assert.ok(database);
  const all = await listDocuments(database, 200);
  const { items, next } = await listDocuments(database, all.items.length);
  assert.is(items.length, all.items.length);
  assert.is(next, null);
});

pages.run();

const loss = suite('a lost acknowledgement');

loss('the write is repeated under the same id and stored once', async () => {
  const proxy = await startLossyProxy(mongo.uri);
  const database = openDatabase({
    ...mongo,
    uri: proxy.uri,
    database: `${mongo.database}-loss`,
  });
  try {
    for (let n = 0; n < 5; n++) {
      proxy.loseNextAcknowledgement();
      await insertDocument(database, { n });
    }
    assert.is(proxy.lost(), 5);
    const { items } = await listDocuments(database, 200);
    assert.equal(
      items.map(({ data }) => data.n),
      [4, 3, 2, 1, 0],
    );
  } finally {
    await database.close();
    proxy.close();
  }
});

loss.run();

/** Stands between the service and the real database, and can cut a connection after an insert. */
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
