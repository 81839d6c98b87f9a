import * as fc from 'fast-check';
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../http/problem';
import { parts } from '../index';
import { type Host, post, send, startOwnHost } from '../testing/testing';
import { itemJson } from './bson-json';
import { checkDocument, MAX_DEPTH } from './document';

const id = '01939f8e-7c11-7abc-8def-0123456789ab';
const createdAt = new Date('2026-11-24T12:06:00.407Z');

/** Names that JavaScript, BSON, the driver or MongoDB treat specially. */
const specialNames = [
  ...['', '.', 'a.b', '$', '$where', '$ref', '$id', '$db', '$date', '$oid', '$numberLong'],
  ...['__proto__', 'constructor', 'prototype', 'length', 'toString', 'toJSON', 'toBSON', 'then'],
  ...['_id', 'id', 'createdAt', 'data', '_bsontype', '0', '1', '01', '-1', '4294967295', '1e3'],
  ...['a\0b', '\0', '\ud83d', '\ude00x', '😀', '"', '\\', '\n', '\u007f', '\u2028', '\ufeff', 'ü'],
];
const specialNumbers = [
  ...[0, -0, 1, -1, 0.1 + 0.2, 1e21, 1e-7, 123456789012345680000, 5e-324, Number.MAX_VALUE],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63],
];

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(...specialNames),
  // half a surrogate pair here and there
  { arbitrary: fc.string({ unit: fc.constantFrom('a', '\ud83d', '\ude00') }), weight: 1 },
  { arbitrary: fc.nat(70_000).map((n) => 'ä"x\n'.repeat(n / 4)), weight: 1 },
);
const names = fc.oneof(
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }), weight: 4 },
  { arbitrary: fc.constantFrom(...specialNames), weight: 3 },
  { arbitrary: texts, weight: 1 },
);
const numbers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(...specialNumbers),
);
/** Numbers as a client may write them, some of which no double holds. */
const numerals = fc.oneof(
  numbers.map((number) => (Object.is(number, -0) ? '-0' : String(number))),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  fc.constantFrom('-0', '0.0', '-0.0', '1E400', '-1e999', '1e-400', '1.0', '9007199254740993'),
);

/** JSON as text, to include what JavaScript's objects can't represent. */
const { value: jsonValue, object: jsonObject } = fc.letrec<{ value: string; object: string }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      fc.oneof(numerals, texts.map(quote), fc.constantFrom('true', 'false', 'null')),
      tie('object'),
      fc.array(tie('value'), { maxLength: 5 }).map((items) => `[${items}]`),
    ),
    object: fc
      .array(fc.tuple(names, tie('value')), { maxLength: 6 })
      .map((fields) => `{${fields.map(([name, value]) => `${quote(name)}:${value}`)}}`),
  }),
);

/** One in ten is wrapped in so many objects and arrays that it may be nested too deeply. */
const documents = fc.oneof(
  { arbitrary: jsonObject, weight: 9 },
  {
    arbitrary: fc
      .tuple(jsonValue, fc.array(fc.boolean(), { minLength: 55, maxLength: 70 }))
      .map(([inner, levels]) => `{"a":${levels.reduce(wrap, inner)}}`),
    weight: 1,
  },
);

function wrap(inner: string, inArray: boolean): string {
  return inArray ? `[${inner}]` : `{"":${inner}}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** The paths of what can't be stored in a value, by rules independent of the implementation. */
function unstorablePaths(value: unknown, path: PropertyKey[] = []): PropertyKey[][] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path];
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, i) => unstorablePaths(item, [...path, i]));
  return Object.entries(value).flatMap(([name, field]) => [
    ...(/\0|^_bsontype$|\p{Surrogate}/u.test(name) ? [[...path, name]] : []),
    ...unstorablePaths(field, [...path, name]),
  ]);
}

function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}

function count(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum, field) => sum + 1 + count(field), 0);
}

function checked(value: unknown): ReturnType<typeof checkDocument> | Problem {
  try {
    return checkDocument(value);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function checkRefusal(problem: { type: string; issues?: { path: unknown }[] }, value: unknown) {
  if (problem.type === 'nesting-too-deep') {
    assert.ok(depth(value) > MAX_DEPTH);
  } else {
    assert.is(problem.type, 'invalid-document');
    const path = JSON.stringify(problem.issues?.[0]?.path);
    assert.ok(unstorablePaths(value).some((expected) => JSON.stringify(expected) === path));
  }
}

const library = suite('fidelity of the conversion');

library(
  'every JSON object is returned as it was posted, or refused with the path of a field',
  () => {
    fc.assert(
      fc.property(documents, (text) => {
        const value = JSON.parse(text);
        const result = checked(value);
        if (result instanceof Problem) {
          assert.is(result.status, 422);
          checkRefusal({ type: result.type, ...result.more }, value);
          return;
        }
        assert.equal(unstorablePaths(value), []);
        assert.ok(depth(value) <= MAX_DEPTH);
        assert.is(result.elements, count(value));
        const item = itemJson(BSON.serialize({ _id: id, createdAt, data: result.value }));
        assert.is(item.id, id);
        // compared as text, so that the order of names counts, and -0 is 0
        assert.is(String(item.json), JSON.stringify({ id, createdAt, data: value }));
        assert.is(JSON.stringify(JSON.parse(String(item.json)).data), JSON.stringify(value));
      }),
      { numRuns: 1000, includeErrorInReport: true },
    );
  },
);

const bsonNames = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constantFrom(...specialNames))
  .filter((name) => !/\0|^_bsontype$|\p{Surrogate}|^(0|[1-9]\d*)$/u.test(name) && name[0] !== '$');
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const bsonScalar = fc.oneof(
  fc.oneof(numbers, fc.constantFrom(Number.NaN, Infinity, -Infinity)),
  fc.integer().map((n) => new Double(n)),
  fc.integer().map((n) => new Int32(n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
  fc.maxSafeInteger().map((n) => Long.fromNumber(n)),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), -(2n ** 53n) - 1n).map(Long.fromBigInt),
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  fc.constantFrom(null, undefined, new MinKey(), new MaxKey()),
  fc.date({ noInvalidDate: false }),
  bytes(12).map((oid) => new ObjectId(oid)),
  bytes(16).map((decimal) => new Decimal128(decimal)),
  fc.tuple(fc.uint8Array(), fc.constantFrom(0, 2, 5, 128)).map(([b, type]) => new Binary(b, type)),
  bytes(16).map((uuid) => new UUID(uuid)),
  fc.constant(new BSONRegExp('a+', 'im')),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new Timestamp({ t, i })),
  fc.string({ unit: 'grapheme' }).map((text) => new BSONSymbol(text)),
  fc.string({ unit: 'grapheme' }).map((text) => new Code(text)),
  fc.string({ unit: 'grapheme' }).map((text) => new Code(text, { a: [1, text] })),
);

/** Any BSON that JavaScript's objects represent in order, without references. */
const { object: bsonObject } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    bsonScalar,
    tie('object'),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
  object: fc.array(fc.tuple(bsonNames, tie('value')), { maxLength: 5 }).map(Object.fromEntries),
}));

library('what other programs store is returned as the driver would represent it', () => {
  fc.assert(
    fc.property(
      bsonScalar.filter((value) => value !== undefined),
      fc.record(
        { createdAt: bsonScalar, data: bsonObject, other: bsonObject },
        { requiredKeys: [] },
      ),
      (_id, fields) => {
        const stored = BSON.serialize({ ...fields, _id });
        const read = BSON.deserialize(stored);
        const expected = { id: read._id, createdAt: read.createdAt, data: read.data };
        const item = itemJson(stored);
        assert.is(String(item.json), JSON.stringify(expected));
        const text = JSON.stringify(read._id);
        assert.is(item.id, text.startsWith('"') ? JSON.parse(text) : text);
      },
    ),
    { numRuns: 1000, includeErrorInReport: true },
  );
});

/** A BSON document of elements `[type, name, value]`, for what the driver doesn't write. */
function bson(...elements: [number, string, Uint8Array?][]): Buffer {
  const parts = elements.flatMap(([type, name, value]) => [
    Buffer.from([type]),
    Buffer.from(`${name}\0`),
    value ?? Buffer.alloc(0),
  ]);
  const size = Buffer.alloc(4);
  size.writeInt32LE(parts.reduce((sum, { length }) => sum + length, 5));
  return Buffer.concat([size, ...parts, Buffer.alloc(1)]);
}

function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(value);
  return buffer;
}

function string(value: string | Buffer): Buffer {
  const text = Buffer.from(value as string);
  const size = Buffer.alloc(4);
  size.writeInt32LE(text.length + 1);
  return Buffer.concat([size, text, Buffer.alloc(1)]);
}

for (const [name, data, json] of [
  ['undefined is omitted', bson([6, 'a'], [10, 'b'], [6, 'c']), '{"b":null}'],
  [
    'undefined in an array is null',
    bson([4, 'a', bson([6, '0'], [8, '1', Buffer.from([1])])]),
    '{"a":[null,true]}',
  ],
  [
    'the names in an array are ignored',
    bson([4, 'a', bson([10, '7'], [10, 'x'])]),
    '{"a":[null,null]}',
  ],
  ['a date out of the range of JavaScript', bson([9, 'a', int64(2n ** 60n)]), '{"a":null}'],
  [
    'the last date',
    bson([9, 'a', int64(8_640_000_000_000_000n)]),
    '{"a":"+275760-09-13T00:00:00.000Z"}',
  ],
  [
    'text that is not UTF-8',
    bson([2, 'a', string(Buffer.from([0x22, 0xc3]))]),
    '{"a":"\\"\ufffd"}',
  ],
  ['a name given twice', bson([10, 'a'], [10, 'b'], [10, 'a']), '{"a":null,"b":null,"a":null}'],
  ['names that are numbers', bson([10, '2'], [10, '1']), '{"2":null,"1":null}'],
  [
    'a regular expression that JavaScript does not support',
    bson([11, 'a', Buffer.from('(?i)b\0i\0')]),
    '{"a":{}}',
  ],
  [
    'a DBPointer',
    bson([12, 'a', Buffer.concat([string('b'), Buffer.alloc(12, 1)])]),
    '{"a":{"$ref":"b","$id":"010101010101010101010101"}}',
  ],
  [
    'a DBRef',
    bson([10, '__proto__'], [2, '$ref', string('a.b')], [10, 'c'], [8, '$id', Buffer.from([0])]),
    '{"__proto__":null,"$ref":"a.b","c":null,"$id":false}',
  ],
] as [string, Buffer, string][]) {
  library(name, () => {
    assert.is(String(itemJson(bson([3, 'data', data])).json), `{"data":${json}}`);
  });
}

library('10,000 levels of nesting', () => {
  let data = bson();
  for (let level = 0; level < 10_000; level++) data = bson([3 + (level % 2), '0', data]);
  const json = String(itemJson(bson([3, 'data', data])).json);
  assert.match(json, /^\{"data":(\{"0":\[){5000}\{\}(\]\}){5000}\}$/);
});

library('truncated or changed bytes result in an error or in JSON', () => {
  fc.assert(
    fc.property(bsonObject, fc.nat(), fc.nat(255), (data, where, byte) => {
      const stored = Buffer.from(BSON.serialize({ _id: id, createdAt, data }));
      stored[where % stored.length] = byte;
      for (const bytes of [stored, stored.subarray(0, where % stored.length)]) {
        try {
          itemJson(bytes);
        } catch (error) {
          assert.instance(error, Error);
        }
      }
    }),
  );
});

library.run();

const service = suite<{ server: Host }>('fidelity of the service');
service.before(async (context) => {
  context.server = await startOwnHost();
});
service.after(({ server }) => server.close());

service(
  'every JSON object is returned as it was posted, or refused with the path of a field',
  async ({ server }) => {
    await fc.assert(
      fc.asyncProperty(documents, async (text) => {
        fc.pre(Buffer.byteLength(text) <= parts().config.bodyLimitBytes);
        const value = JSON.parse(text);
        const posted = await post(`${server.url}/data`, text);
        if (checked(value) instanceof Problem) {
          assert.is(posted.status, 422);
          checkRefusal({ ...posted.json, type: posted.json.type.split(':').pop() }, value);
        } else if (posted.status === 422) {
          // FerretDB accepts fewer names than MongoDB, and no arrays in arrays
          const [issue] = posted.json.issues;
          assert.is(posted.json.type, 'urn:problem-type:invalid-document');
          assert.ok(namesOf(value).has(issue.path[0]), posted.text);
        } else {
          assert.is(posted.status, 201, posted.text);
          const read = await send(server.url + posted.headers.get('location'));
          assert.is(read.status, 200);
          const [head] = posted.text.split('"data":');
          const possible = [JSON.stringify(value), withIdFirst(value)];
          assert.ok(possible.includes(read.text.slice(`${head}"data":`.length, -1)), read.text);
          assert.is(posted.text, `${head}"data":${JSON.stringify(value)}}`);
        }
      }),
      // shrinking a failure would send as many requests again and again
      { numRuns: 200, includeErrorInReport: true, endOnFailure: true },
    );
  },
);

/** JSON with the name `_id` first in each object, where FerretDB puts it. */
function withIdFirst(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(withIdFirst)}]`;
  const fields = Object.entries(value).sort(
    ([a], [b]) => Number(b === '_id') - Number(a === '_id'),
  );
  return `{${fields.map(([name, field]) => `${quote(name)}:${withIdFirst(field)}`)}}`;
}

/** All names in a value, and its array indices as text. */
function namesOf(value: unknown): Set<string> {
  const names = new Set<string>();
  JSON.stringify(value, (name, field) => {
    names.add(name);
    return field;
  });
  return names;
}

service.run();
