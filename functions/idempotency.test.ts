import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startProxy } from '../tools/network/faulty-proxy';
import { checkDocument, toDocument } from './documents/document';
import { insertBatch } from './documents/insert';
import { toPendingDocument } from './documents/pending-document';
import { parts } from './index';
import type { Stored } from './mongo/client';
import { openDatabase } from './mongo/database';
import {
  type Host,
  killProcesses,
  post,
  send,
  startOwnHost,
  startProcess,
  startService,
  until,
} from './testing/testing';

const { mongo } = parts().config;

interface Context {
  host: Host;
  client: MongoClient;
}

const test = suite<Context>('posts with an Idempotency-Key');
test.before(async (context) => {
  context.host = await startOwnHost();
  const { uri, auth } = mongo;
  context.client = new MongoClient(uri, { ...(auth && { auth, authSource: 'admin' }) });
});
test.after(async ({ host, client }) => {
  await host.close();
  await client.close();
});
test.after.each(killProcesses);

const documents = ({ client }: Context, database = mongo.databaseName) =>
  client.db(database).collection<Stored>('documents');
const keyed = (url: string, key: string, body: unknown) =>
  post(`${url}/data`, body, { 'Idempotency-Key': key });
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

test('the same document again: same response, stored once', async (context) => {
  const { url } = context.host;
  const key = randomUUID();
  const first = await keyed(url, quoted(key), { n: 1, text: 'é' });
  assert.is(first.status, 201);
  for (const [form, body] of [
    [quoted(key), { n: 1, text: 'é' }],
    [key, { n: 1, text: 'é' }],
    [quoted(key), '\n{ "n":1,\t"text" : "\\u00e9" } '],
  ] as const) {
    const again = await keyed(url, form, body);
    assert.is(again.status, 201);
    assert.equal(again.json, first.json);
    assert.is(again.headers.get('location'), first.headers.get('location'));
  }
  assert.is(await documents(context).countDocuments({ idempotencyKey: key }), 1);
});

test('another document: 422, and the first one is kept', async (context) => {
  const { url } = context.host;
  const key = randomUUID();
  const first = await keyed(url, key, { n: 1 });
  for (const other of [{ n: 2 }, { n: '1' }, { n: 1, more: null }, {}]) {
    const { status, json } = await keyed(url, key, other);
    assert.is(status, 422);
    assert.is(json.type, 'urn:problem-type:idempotency-key-reused');
  }
  const stored = await documents(context).find({ idempotencyKey: key }).toArray();
  assert.equal(
    stored.map(({ _id, data }) => ({ _id, data })),
    [{ _id: first.json.id, data: { n: 1 } }],
  );
});

test('fifty concurrent posts: one document, and one id for all', async (context) => {
  const key = randomUUID();
  const responses = await Promise.all(
    Array.from({ length: 50 }, () => keyed(context.host.url, key, { at: 'once' })),
  );
  assert.equal(new Set(responses.map(({ status }) => status)), new Set([201]));
  assert.is(new Set(responses.map(({ text }) => text)).size, 1);
  assert.is(await documents(context).countDocuments({ idempotencyKey: key }), 1);
});

test('two documents with one key at once: one is stored, the other gets a 422', async (context) => {
  const { url } = context.host;
  for (let n = 0; n < 5; n++) {
    const key = randomUUID();
    const responses = await Promise.all([
      keyed(url, key, { a: 1 }),
      keyed(url, key, { b: 1 }),
      post(`${url}/data`, { neighbour: n }),
    ]);
    assert.equal(responses.map(({ status }) => status).sort(), [201, 201, 422]);
    assert.is(responses[2].status, 201);
    assert.is(await documents(context).countDocuments({ idempotencyKey: key }), 1);
  }
});

test('two replicas, one of them killed: one document per key', async (context) => {
  const replicas = await Promise.all([startProcess(), startProcess()]);
  const url = (n: number) => String(replicas[n % 2]?.url);
  const ready = async (n: number) => (await send(`${url(n)}/readyz`)).status === 200;
  await until(() => ready(0));
  await until(() => ready(1));
  const keys = Array.from({ length: 10 }, () => randomUUID());
  const once = await Promise.all(
    keys.map(async (key) => {
      const responses = await Promise.all(
        Array.from({ length: 6 }, (_, n) => keyed(url(n), key, { key })),
      );
      assert.equal(new Set(responses.map(({ status }) => status)), new Set([201]));
      assert.is(new Set(responses.map(({ json }) => json.id)).size, 1);
      return responses[0]?.json.id;
    }),
  );

  const more = Array.from({ length: 10 }, () => randomUUID());
  const cut = more.map((key) => keyed(url(0), key, { key }).catch(() => undefined));
  await Promise.race(cut);
  replicas[0]?.child.kill('SIGKILL');
  const before = await Promise.all(cut);
  const after = await Promise.all([...keys, ...more].map((key) => keyed(url(1), key, { key })));
  assert.equal(new Set(after.map(({ status }) => status)), new Set([201]));
  const ids = after.map(({ json }) => json.id);
  assert.equal(ids.slice(0, keys.length), once);
  for (const [n, response] of before.entries()) {
    if (response) assert.is(response.json.id, ids[keys.length + n]);
  }
  const idempotencyKey = { $in: [...keys, ...more] };
  assert.is(await documents(context).countDocuments({ idempotencyKey }), ids.length);
});

test('repeated while MongoDB is unreachable: stored once', async (context) => {
  const target = new URL(mongo.uri.replace('mongodb:', 'http:'));
  const proxy = await startProxy(Number(target.port));
  const uri = mongo.uri.replace(target.host, `127.0.0.1:${proxy.port}`);
  const service = await startService({ uri, timeoutMs: 500 });
  const key = randomUUID();
  try {
    await until(async () => (await post(`${service.url}/data`, {})).status === 201);
    proxy.cut('database', 1, 0);
    const lost = keyed(service.url, key, { key });
    proxy.refuse();
    const { status, json, headers } = await lost;
    assert.is(status, 503);
    assert.is(headers.get('retry-after'), '1');
    assert.match(json.id, /^[0-9a-f-]{36}$/);
    await proxy.accept();
    await until(async () => (await keyed(service.url, key, { key })).status === 201);
    assert.is(await documents(context).countDocuments({ idempotencyKey: key }), 1);
  } finally {
    await service.close();
    proxy.close();
  }
});

test('a key may have 255 characters, with quotes and backslashes', async (context) => {
  const { url } = context.host;
  const key = `"\\ ~!{}, ;${randomUUID()}`.padEnd(255, '\\"');
  const first = await keyed(url, quoted(key), { long: true });
  assert.is(first.status, 201);
  assert.equal((await keyed(url, quoted(key), { long: true })).json, first.json);
  const stored = await documents(context).findOne({ _id: first.json.id });
  assert.is(stored?.idempotencyKey, key);
  assert.is((await keyed(url, quoted(`${key}x`), { long: true })).status, 400);
});

test('a document posted without a key is stored without one', async (context) => {
  const { json } = await post(`${context.host.url}/data`, { plain: true });
  const stored = await documents(context).findOne({ _id: json.id });
  assert.equal(Object.keys(stored ?? {}), ['_id', 'createdAt', 'data']);
});

test('the unique index is created at the first connect, and again after it was dropped', async (context) => {
  const database = `${mongo.databaseName}-index`;
  const collection = documents(context, database);
  const hasIndex = async () =>
    (await collection.indexes()).some(
      ({ key, unique }) => 'idempotencyKey' in key && unique, // FerretDB does not report sparse
    );
  for (let start = 0; start < 2; start++) {
    const service = await startProcess({ MONGO_DATABASE: database });
    await until(hasIndex);
    service.child.kill('SIGKILL');
    await service.exited;
    await collection.drop();
  }
});

test('a batch that needs more than one command is not typical', async () => {
  const database = openDatabase(mongo);
  const insert = async (key?: string) => {
    const { value, elements } = checkDocument({});
    const pending = toPendingDocument(toDocument(value, elements), key);
    const { outcomes, isTypical } = await insertBatch(database, [pending], performance.now());
    assert.equal(outcomes, [undefined]);
    return isTypical;
  };
  const key = randomUUID();
  try {
    assert.is(await insert(), true);
    assert.is(await insert(key), false); // ensures the index
    assert.is(await insert(key), false); // finds the document that has the key
    await until(() => insert(randomUUID())); // the index was ensured less than a second ago
  } finally {
    await database.close();
  }
});

test.run();
