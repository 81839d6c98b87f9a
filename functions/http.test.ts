import { MongoClient } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { name, version } from '../package.json';
import { parts } from './index';
import {
  type Answer,
  type Host,
  post,
  send,
  startFramework,
  startOwnHost,
} from './testing/testing';

interface Row {
  does: string;
  ask(url: string): Promise<Answer>;
  status: number;
  type?: string;
  issues?: { path: (string | number)[] }[];
  headers?: Record<string, string>;
  check?(answer: Answer): void;
  /** What the framework can't promise, with the reason. */
  ownHostOnly?: string;
}

const uuid = '01939f8e-7c11-7abc-8def-0123456789ab';
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const large = JSON.stringify({ text: 'x'.repeat(2 ** 20) });
const get = (path: string, init?: RequestInit) => (url: string) => send(url + path, init);
const postData = (body: unknown, headers?: Record<string, string>) => (url: string) =>
  post(`${url}/data`, body, headers);
const chunked = (body: string) => (url: string) =>
  send(`${url}/data`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: new Blob([body]).stream(),
    duplex: 'half',
  } as RequestInit);

const rows: Row[] = [
  {
    does: 'GET / tells name, version, time and routes',
    ask: get('/'),
    status: 200,
    check({ json }) {
      assert.is(json.name, name);
      assert.is(json.version, version);
      assert.match(json.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(json.routes.includes('POST /data'));
    },
  },
  {
    does: 'GET /time tells the time in UTC',
    ask: get('/time'),
    status: 200,
    headers: { 'content-type': 'application/json' },
    check({ json }) {
      assert.is(new Date(json.epochMs).toISOString(), json.time);
      assert.is(json.timezone, 'UTC');
      assert.equal(Object.keys(json), ['time', 'epochMs', 'timezone']);
    },
  },
  {
    does: 'GET /time?tz= tells the offset of a zone',
    ask: get('/time?tz=Asia/Tokyo'),
    status: 200,
    check({ json }) {
      assert.match(json.time, /\+09:00$/);
      assert.is(Date.parse(json.time), json.epochMs);
      assert.is(json.timezone, 'Asia/Tokyo');
    },
  },
  {
    does: 'a zone in any letter case, in its own spelling',
    ask: get('/time?tz=asia/calcutta'),
    status: 200,
    check: ({ json }) => assert.is(json.timezone, 'Asia/Calcutta'),
  },
  {
    does: 'a zone with an encoded plus',
    ask: get('/time?tz=Etc/GMT%2B5'),
    status: 200,
    check({ json }) {
      assert.match(json.time, /-05:00$/);
      assert.is(json.timezone, 'Etc/GMT+5');
    },
  },
  {
    does: 'a zone with a bare plus, which is a space',
    ask: get('/time?tz=Etc/GMT+5'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
    check: ({ json }) => assert.match(json.detail, 'Etc/GMT%2B5'),
  },
  ...['BST', 'SystemV/EST5', '%2B09:00', '', 'Factory'].map((tz) => ({
    does: `a zone of "${tz}"`,
    ask: get(`/time?tz=${tz}`),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
  })),
  {
    does: 'a zone that is not there',
    ask: get('/time?tz=Mars/Olympus'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
  },
  {
    does: 'an unknown parameter',
    ask: get('/time?zone=UTC&x=1'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['zone'] }, { path: ['x'] }],
  },
  {
    does: 'a parameter given twice',
    ask: get('/time?tz=UTC&tz=Asia/Tokyo'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
  },
  ...['0', '201', '-1', '1.5', 'all', ''].map((limit) => ({
    does: `a limit of "${limit}"`,
    ask: get(`/data?limit=${limit}`),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['limit'] }],
  })),
  {
    does: 'a cursor that is none',
    ask: get('/data?cursor=abc'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['cursor'] }],
  },
  {
    does: 'a parameter on a route that has none',
    ask: get(`/data/${uuid}?x=1`),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['x'] }],
  },
  {
    does: 'a document that is not there',
    ask: get(`/data/${uuid}`),
    status: 404,
    type: 'not-found',
  },
  { does: 'an id that is none', ask: get('/data/abc'), status: 404, type: 'not-found' },
  { does: 'an unknown route', ask: get('/nothing'), status: 404, type: 'not-found' },
  {
    does: 'a path that is badly encoded',
    ask: get('/data/%zz'),
    status: 404,
    type: 'not-found',
    ownHostOnly: 'Express decodes the path before it calls the function',
  },
  { does: 'GET /livez', ask: get('/livez'), status: 200 },
  { does: 'a slash at the end', ask: get('/data/?limit=1'), status: 200 },
  {
    does: 'OPTIONS on a collection',
    ask: get('/data', { method: 'OPTIONS' }),
    status: 204,
    headers: { allow: 'GET, POST, HEAD, OPTIONS' },
  },
  {
    does: 'a method that a collection does not have',
    ask: get('/data', { method: 'DELETE' }),
    status: 405,
    type: 'method-not-allowed',
    headers: { allow: 'GET, POST, HEAD, OPTIONS' },
  },
  {
    does: 'a method that a document does not have',
    ask: get(`/data/${uuid}`, { method: 'PUT', body: '{}' }),
    status: 405,
    type: 'method-not-allowed',
    headers: { allow: 'GET, HEAD, OPTIONS' },
  },
  {
    does: 'POST on the time',
    ask: (url) => post(`${url}/time`, {}),
    status: 405,
    type: 'method-not-allowed',
  },
  {
    does: 'malformed JSON',
    ask: postData('{"a":'),
    status: 400,
    type: 'malformed-json',
    ownHostOnly: 'the framework parses before it calls the function',
  },
  {
    does: 'an empty body',
    ask: postData(''),
    status: 400,
    type: 'malformed-json',
  },
  {
    does: 'invalid UTF-8',
    ask: (url) =>
      send(`${url}/data`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      }),
    status: 400,
    type: 'malformed-json',
  },
  ...['[1]', '[]', '"text"', '5', 'true', 'null'].map((body) => ({
    does: `${body} instead of an object`,
    ask: postData(body),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: [] }],
    ...(!body.startsWith('[') && {
      ownHostOnly: 'the framework takes nothing but objects and arrays',
    }),
  })),
  {
    does: 'a body without a content type',
    ask: (url) => send(`${url}/data`, { method: 'POST', body: Buffer.from('{}') }),
    status: 415,
    type: 'unsupported-media-type',
    headers: { 'accept-post': 'application/json' },
  },
  {
    does: 'a form',
    ask: (url) => send(`${url}/data`, { method: 'POST', body: new URLSearchParams({ a: '1' }) }),
    status: 415,
    type: 'unsupported-media-type',
  },
  {
    does: 'JSON in another character set',
    ask: postData({}, { 'Content-Type': 'application/json; charset=iso-8859-1' }),
    status: 415,
    type: 'unsupported-media-type',
    ownHostOnly: 'the framework looks at the character set before it calls the function',
  },
  {
    does: 'JSON that says that it is UTF-8',
    ask: postData({}, { 'Content-Type': 'Application/JSON; charset="UTF-8"' }),
    status: 201,
  },
  {
    does: 'JSON that says so without the hyphen',
    ask: postData({}, { 'Content-Type': 'application/json; charset=utf8' }),
    status: 201,
    ownHostOnly: 'the framework looks at the character set before it calls the function',
  },
  ...['"open', '""', 'a b', 'a,b', '"a" "b"', '"é"', `"${'x'.repeat(256)}"`, 'x'.repeat(256)].map(
    (key) => ({
      does: `an Idempotency-Key of ${key.slice(0, 10)}`,
      ask: postData({}, { 'Idempotency-Key': key }),
      status: 400,
      type: 'invalid-idempotency-key',
    }),
  ),
  {
    does: 'a content coding',
    ask: (url) =>
      send(`${url}/data`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
        body: Buffer.from('H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==', 'base64'),
      }),
    status: 415,
    type: 'unsupported-content-coding',
    headers: { 'accept-encoding': 'identity' },
  },
  { does: 'a body over the limit', ask: postData(large), status: 413, type: 'body-too-large' },
  {
    does: 'a chunked body over the limit',
    ask: chunked(large),
    status: 413,
    type: 'body-too-large',
  },
  { does: 'a chunked body', ask: chunked('{"a":1}'), status: 201 },
  { does: 'nesting at the limit', ask: postData(nested(64)), status: 201 },
  {
    does: 'nesting over the limit',
    ask: postData(nested(65)),
    status: 422,
    type: 'nesting-too-deep',
  },
  {
    does: 'nesting that would overflow a stack',
    ask: postData(`{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}`),
    status: 422,
    type: 'nesting-too-deep',
  },
  {
    does: 'a number that no double can hold',
    ask: postData('{"a":[0,{"b":1e400}]}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a', 1, 'b'] }],
  },
  {
    does: 'half a surrogate pair in a text',
    ask: postData('{"a":"\\ud83d"}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a'] }],
  },
  {
    does: 'half a surrogate pair in a name',
    ask: postData('{"\\ude00":1}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['\ude00'] }],
  },
  {
    does: 'NUL in a name',
    ask: postData('{"a":{"b\\u0000":1}}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a', 'b\0'] }],
  },
  {
    does: "a name that is the driver's own",
    ask: postData({ a: [{ _bsontype: 'Long' }] }),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a', 0, '_bsontype'] }],
  },
];

const hosts: [string, () => Promise<Host>][] = [
  ['own host', startOwnHost],
  ['framework', () => startFramework('app')],
];

for (const [host, start] of hosts) {
  const test = suite(host);
  let server: Host;
  test.before(async () => {
    server = await start();
  });
  test.after(() => server.close());

  for (const { does, ask, status, type, issues, headers, check, ownHostOnly } of rows) {
    if (ownHostOnly && start !== startOwnHost) continue;
    test(does, async () => {
      const answer = await ask(server.url);
      assert.is(answer.status, status, answer.text);
      for (const [header, value] of Object.entries(headers ?? {})) {
        assert.is(answer.headers.get(header), value);
      }
      if (type) {
        assert.is(answer.headers.get('content-type'), 'application/problem+json');
        assert.is(answer.json.type, `urn:problem-type:${type}`);
        assert.is(answer.json.status, status);
        assert.type(answer.json.detail, 'string');
        assert.not.match(answer.text, /node_modules|at \w+ \(/);
      }
      if (issues) {
        assert.equal(
          answer.json.issues.map((issue: { path: unknown }) => ({ path: issue.path })),
          issues,
        );
      }
      check?.(answer);
    });
  }

  test('POST /data stores a document, GET /data/{id} gives it back', async () => {
    const data = { test: 'persistence', deep: [{ a: null, b: [true, 1.5, 'ü'] }] };
    const posted = await post(`${server.url}/data`, data);
    assert.is(posted.status, 201);
    assert.is(posted.headers.get('location'), `/data/${posted.json.id}`);
    assert.match(posted.json.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    assert.equal(posted.json.data, data);
    assert.ok(Math.abs(Date.parse(posted.json.createdAt) - Date.now()) < 60_000);

    const read = await send(server.url + posted.headers.get('location'));
    assert.is(read.status, 200);
    assert.equal(read.json, posted.json);
    const upper = await send(`${server.url}/data/${posted.json.id.toUpperCase()}`);
    assert.equal(upper.json, posted.json);
  });

  test('HEAD answers as GET does, without a body', async () => {
    const { json } = await post(`${server.url}/data`, { head: true });
    for (const path of ['/', '/time', '/livez', '/data?limit=1', `/data/${json.id}`, '/nothing']) {
      const [head, got] = await Promise.all([
        send(server.url + path, { method: 'HEAD' }),
        send(server.url + path),
      ]);
      assert.is(head.status, got.status, path);
      assert.is(head.headers.get('content-type'), got.headers.get('content-type'));
      assert.is(head.headers.get('content-length'), String(Buffer.byteLength(got.text)));
      assert.is(head.text, '');
    }
  });

  test('numbers are doubles: -0 comes back as 0, integers over 2^53 rounded', async () => {
    const posted = await post(`${server.url}/data`, '{"zero":-0,"large":9007199254740993}');
    const read = await send(server.url + posted.headers.get('location'));
    assert.match(read.text, '{"zero":0,"large":9007199254740992}');
  });

  test.run();
}

const own = suite('own host only');
let server: Host;
own.before(async () => {
  server = await startOwnHost();
});
own.after(() => server.close());

own('documents come back exactly as posted, whatever their names', async () => {
  const texts = [
    '{"$where":"x","$set":{"$inc":1}}',
    '{"a.b":{".":1,"..":[{"c.d":1}]}}',
    '{"a":[[],[[1,[2]]]]}',
    '{"__proto__":{"a":1},"b":{"__proto__":null,"constructor":{"prototype":1}}}',
    '{"":1,"a":{"":{"":2}}}',
    '{"ключ":"значение","😀":"\\u0000\\u2028é"}',
    '{"_id":7,"id":"x","data":{"_id":null},"toJSON":1,"toBSON":2,"length":3}',
    '{"$id":"schema","$ref":"#/$defs/a","$defs":{}}',
    '{"a":{"$ref":"b.c","$id":1}}',
    '{"a":{"$ref":"b","$id":1,"__proto__":{"c":1}}}',
    '{"a":{"b":1,"$id":{"$ref":"c","$id":2},"$db":"d","$ref":"e"}}',
    '{"$date":"2020-01-01","$numberLong":"5","$oid":"abc"}',
  ];
  const client = new MongoClient(process.env.MONGODB_URI ?? '');
  const direct = client.db(parts().config.mongo.databaseName).collection('direct');
  try {
    for (const text of texts) {
      const refusal = await direct.insertOne({ data: JSON.parse(text) }).then(
        () => undefined,
        (error: Error) => error.message,
      );
      const posted = await post(`${server.url}/data`, text);
      if (refusal) {
        // this database does not take such names, so the answer has to say which one it was
        assert.is(posted.status, 422, text);
        assert.is(posted.json.type, 'urn:problem-type:invalid-document');
        assert.match(refusal, JSON.stringify(posted.json.issues[0].path[0]));
      } else {
        assert.is(posted.status, 201, posted.text);
        const read = await send(server.url + posted.headers.get('location'));
        assert.match(read.text, `"data":${JSON.stringify(JSON.parse(text))}}`);
      }
    }
  } finally {
    await client.close();
  }
});

own.run();
