import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Collection, type Document, MongoClient, ObjectId, type Sort } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ferretdbVersion } from './build-ferretdb';
import { type Database, startDatabase } from './embedded-database';

// What our changes to FerretDB do. They must not change what a query finds: it is compared with what
// is found here, in memory.

type Id = string | number | ObjectId;
interface Item {
  _id: Id;
  n?: number;
  key?: unknown;
}

const test = suite<{ items: Collection<Item> }>('pushdown');

const directory = mkdtempSync(join(tmpdir(), 'pushdown-test-'));
let database: Database | undefined;
let client: MongoClient | undefined;
let isChanged = false;

test.before(async () => {
  const start = () => startDatabase({ directory, report: console.error });
  database = await start();
  if (database.kind === 'ferretdb') {
    // 'a', 'a b', 'a<b', 'b' and 'c', each with an idempotencyKey, made by FerretDB without the changes
    await database.stop();
    const made = gunzipSync(readFileSync(join(__dirname, 'made-before.sqlite.gz')));
    writeFileSync(join(directory, 'ferretdb/old.sqlite'), made);
    database = await start();
  }
  client = new MongoClient(database.uri);
  const info = await client.db('admin').command({ buildInfo: 1 });
  isChanged = info.ferretdbVersion === ferretdbVersion;
  if (!isChanged) console.log(`skipped: the database is not FerretDB ${ferretdbVersion}`);
});

test.before.each(async (context) => {
  context.items = collection('test', 'items');
  await context.items.drop();
});

test.after(async () => {
  await client?.close();
  await database?.stop();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

function collection(name: string, items: string): Collection<Item> {
  return (client as MongoClient).db(name).collection<Item>(items);
}

/** A test that is only of FerretDB with our changes. */
function changed(name: string, run: (context: { items: Collection<Item> }) => Promise<void>): void {
  test(name, async (context) => {
    if (isChanged) await run(context);
  });
}

/** SQLite's plan of a query, a line a step. */
async function plan(items: Collection<Item>, query: Document): Promise<string> {
  const { queryPlanner } = await (client as MongoClient)
    .db(items.dbName)
    .command({ explain: { find: items.collectionName, ...query } });
  return queryPlanner.Plan.join('\n');
}

const page = { filter: { _id: { $lt: 'g' } }, sort: { _id: -1 as const }, limit: 51 };
const lookUp = (field: string) => ({ filter: { [field]: { $in: ['a', 'b'] } } });

changed(
  'finds a page, and documents by _id and by a unique key, by an index',
  async ({ items }) => {
    await items.createIndex({ key: 1 }, { unique: true, sparse: true });
    await items.insertOne({ _id: 'a', key: 'a' });
    const byId = { filter: { _id: 'a' } };
    const queries = [page, byId, lookUp('_id'), lookUp('key')];
    for (const query of queries) {
      const steps = await plan(items, query);
      assert.match(steps, /SEARCH \w+ USING INDEX/);
      assert.not.match(steps, /SCAN|TEMP B-TREE/);
    }
    assert.match(await plan(items, lookUp('n')), /SCAN/);
  },
);

changed('does so with data made before', async () => {
  const old = collection('old', 'documents');
  const ids = ({ _id }: Item) => _id;
  for (const query of [page, lookUp('_id'), lookUp('idempotencyKey')]) {
    assert.not.match(await plan(old, query), /SCAN|TEMP B-TREE/);
  }
  const { filter, ...options } = page;
  const all = ['c', 'b', 'a<b', 'a b', 'a'];
  assert.equal((await old.find(filter, options).toArray()).map(ids), all);
  const found = await old
    .find({ idempotencyKey: { $in: ['key a<b', 'key d'] } } as object)
    .toArray();
  assert.equal(found.map(ids), ['a<b']);
  await old.insertOne({ _id: 'd' });
  assert.equal((await old.find(filter, options).toArray()).map(ids), ['d', ...all]);
});

// FerretDB knows an operator only when it reads a document that is to be compared by it, so that
// this filter fails if a document with n: 2 is read.
const mined = { $or: [{ n: 1 }, { n: { $eq: 2, $mine: 1 } }] };

changed('reads no more than a page, or the documents of a key', async ({ items }) => {
  await items.createIndex({ key: 1 }, { unique: true, sparse: true });
  const ids = [...'abcdefghij'];
  await items.insertMany(ids.map((_id) => ({ _id, key: _id, n: 'aj'.includes(_id) ? 2 : 1 })));
  const find = async (filter: object, options = {}) =>
    (await items.find({ ...filter, ...mined }, options).toArray()).map(({ _id }) => _id).join('');
  const sort: Sort = { _id: -1 };
  assert.is(await find({ _id: { $lt: 'j' } }, { sort, skip: 5, limit: 3 }), 'dcb');
  assert.is(await find({ _id: { $gt: 'a' } }, { sort: { _id: 1 }, limit: 8 }), 'bcdefghi');
  assert.is(await find({ _id: { $gt: 'g', $lt: 'j' } }, { sort }), 'ih');
  assert.is(await find({ key: { $in: ['c', 'z'] } }), 'c');
  assert.is(await find({ key: 'c' }), 'c');
  const tooFar = await find({ _id: { $lt: 'j' } }, { sort, limit: 9 }).catch(String);
  assert.match(tooFar, /\$mine/);
});

// Some that sort before and after the quotes and the escapes of JSON, and some that Go escapes.
const unit = fc.constantFrom(...'ab0 !"#\\]<>&~\0\n\b\x7fé\u2027\u2028\ufffd\uffee😀');
const text = fc.string({ unit, maxLength: 3 });
const objectId = fc.nat(3).map((n) => new ObjectId(`${n}`.repeat(24)));
const id: fc.Arbitrary<Id> = fc.oneof(
  { weight: 8, arbitrary: text },
  fc.integer({ min: -2, max: 2 }),
  objectId,
);

const bytes = (value: Id) => Buffer.from(value instanceof ObjectId ? value.id : `${value}`);
const rank = (value: Id) => ['number', 'string', 'object'].indexOf(typeof value);

/** BSON's order of what the tests have for ids. */
function order(a: Id, b: Id): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  return typeof a === 'number' ? a - (b as number) : Buffer.compare(bytes(a), bytes(b));
}

const compares: Record<string, (order: number) => boolean> = {
  $eq: (order) => order === 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
};

/** Whether a value passes a condition of those below. A range is of one type. */
function passes(value: Id | undefined, condition: unknown): boolean {
  if (value === undefined) return false;
  if (typeof condition !== 'object' || condition instanceof ObjectId) {
    return order(value, condition as Id) === 0;
  }
  return Object.entries(condition as object).every(([operator, operand]) =>
    operator === '$in'
      ? operand.some((one: Id) => order(value, one) === 0)
      : rank(value) === rank(operand) && compares[operator]?.(order(value, operand)),
  );
}

const some = { requiredKeys: [] as [] };
const condition = fc
  .oneof(
    id,
    fc.record({ $lt: text, $lte: text, $gt: text, $gte: text }, some),
    fc.record({ $lt: id, $gte: id, $eq: id }, some),
    fc.record({ $in: fc.array(fc.oneof(text, id), { maxLength: 3 }) }),
    fc.record({ $in: fc.array(text, { maxLength: 3 }), $gt: text }),
  )
  .filter(
    (one) => typeof one !== 'object' || one instanceof ObjectId || Object.keys(one).length > 0,
  );

const query = fc.record(
  {
    filter: fc.record({ _id: condition, n: fc.record({ $lt: fc.nat(3) }) }, some),
    sort: fc.constantFrom<1 | -1>(1, -1),
    skip: fc.nat(3),
    limit: fc.nat(5),
  },
  { requiredKeys: ['filter'] },
);

const ids = fc.uniqueArray(id, { maxLength: 12, comparator: (a, b) => order(a, b) === 0 });

changed('finds by _id what is there, in order', async ({ items }) => {
  await fc.assert(
    fc.asyncProperty(ids, fc.array(query, { minLength: 1, maxLength: 8 }), async (ids, queries) => {
      await items.deleteMany({});
      const all = ids.map((_id, index): Item => ({ _id, n: index % 3 }));
      if (all.length > 0) await items.insertMany(all);
      for (const { filter, sort, skip = 0, limit = 0 } of queries) {
        const passing = all.filter(
          ({ _id, n }) =>
            (!('_id' in filter) || passes(_id, filter._id)) && (!filter.n || passes(n, filter.n)),
        );
        const options = { skip, limit, ...(sort && { sort: { _id: sort } }) };
        const found = await items.find(filter as object, options).toArray();
        const byId = (a: Item, b: Item) => order(a._id, b._id) * (sort ?? 1);
        const sorted = passing.sort(byId);
        const end = limit === 0 ? undefined : skip + limit;
        const expected = sorted.slice(skip, end);
        if (sort || expected.length === sorted.length) {
          assert.equal(sort ? found : found.sort(byId), expected);
        } else {
          assert.is(found.length, expected.length); // it may be any of them
          for (const { _id } of found) assert.ok(sorted.some((one) => order(one._id, _id) === 0));
        }
        assert.is(await items.countDocuments(filter as object), passing.length);
      }
    }),
  );
});

changed('finds by a unique key what is there', async ({ items }) => {
  await items.createIndex({ key: 1 }, { unique: true, sparse: true });
  const keys = fc.uniqueArray(
    fc.oneof(text, fc.integer(), fc.array(text, { maxLength: 3 }), fc.constant(undefined)),
    { maxLength: 8, selector: (key) => JSON.stringify(key) ?? '' },
  );
  const wanted = fc.oneof(text, fc.record({ $eq: text }), fc.record({ $in: fc.array(text) }));
  await fc.assert(
    fc.asyncProperty(keys, wanted, async (keys, wanted) => {
      await items.deleteMany({});
      const all = keys.map((key, n): Item => ({ _id: n, ...(key !== undefined && { key }) }));
      if (all.length > 0) await items.insertMany(all);
      const expected = all.filter(({ key }) =>
        [key].flat().some((one) => passes(one as Id | undefined, wanted)),
      );
      const found = await items.find({ key: wanted }).toArray();
      assert.equal(
        found.sort(({ _id: a }, { _id: b }) => order(a, b)),
        expected,
      );
    }),
  );
});

changed('a unique key is unique, and may be missing', async ({ items }) => {
  await items.createIndex({ key: 1 }, { unique: true, sparse: true });
  await items.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3, key: null }, { _id: 4, key: 'a' }]);
  await items.updateOne({ _id: 1 }, { $set: { key: 'b' } });
  for (const key of [null, 'a', 'b']) {
    const outcome = await items.insertOne({ _id: 5, key }).then(() => 'stored', String);
    assert.match(outcome, 'E11000');
  }
  await items.deleteOne({ _id: 4 });
  await items.insertOne({ _id: 5, key: 'a' });
  const found = await items.find({ key: { $in: ['a', 'b'] } }).toArray();
  assert.equal(found.map(({ _id }) => _id).sort(), [1, 5]);
});

changed('updates and deletes what a filter by _id finds', async ({ items }) => {
  const ids = ['a', 'a b', 'a<b', 'b', new ObjectId('1'.repeat(24))];
  await items.insertMany(ids.map((_id) => ({ _id })));
  const n = (filter: object) => ({ filter, update: { $set: { n: 1 } } });
  for (const { filter, update } of [n({ _id: 'a<b' }), n({ _id: ids[4] })]) {
    assert.is((await items.updateMany(filter, update)).modifiedCount, 1);
  }
  assert.is(
    (await items.updateMany({ _id: { $gt: 'a', $lt: 'b' } }, { $set: { n: 2 } })).modifiedCount,
    2,
  );
  assert.is((await items.deleteMany({ _id: { $lte: 'a<b' } })).deletedCount, 3);
  assert.equal(await items.find({}, { sort: { _id: 1 } }).toArray(), [
    { _id: 'b' },
    { _id: ids[4], n: 1 },
  ]);
  const upserted = await items.updateOne({ _id: 'z' }, { $set: { n: 3 } }, { upsert: true });
  assert.is(upserted.upsertedId, 'z');
});

test.run();
