import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { name, version } from '../package.json';
import { createApiKey } from './auth/api-keys';
import { parts } from './index';
import {
  createConformance,
  documentedOperations,
  protectedOperations,
} from './testing/conformance';
import {
  type Host,
  type HttpResponse,
  post,
  rawPostHead,
  send,
  sendText,
  startFramework,
  startOwnHost,
  startService,
} from './testing/testing';

interface Row {
  name: string;
  request(url: string): Promise<HttpResponse>;
  status: number;
  type?: string;
  issues?: { path: (string | number)[] }[];
  headers?: Record<string, string>;
  check?(response: HttpResponse): void;
  /** Why the framework does not pass, if it doesn't. */
  ownHostOnly?: string;
  /** What the own host is like, if it is special. */
  on?: keyof typeof specialHosts;
}

const folder = mkdtempSync(join(tmpdir(), 'http-test-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
const apiKeysFile = join(folder, 'api-keys');
const apiKey = createApiKey('caller', ['time:read', 'data:read', 'data:write']);
const otherApiKey = createApiKey('other', ['other:read']);
writeFileSync(apiKeysFile, `${apiKey.line}\n${otherApiKey.line}\n`);

const specialHosts = {
  'a replica that needs a token': () =>
    startOwnHost({
      auth: {
        apiKeysFile,
        tokens: {
          issuer: 'http://127.0.0.1:1', // does not answer
          audience: 'functions',
          jwks: {},
          requireScope: false,
        },
      },
    }),
  'a replica without a database': () =>
    startService({ uri: 'mongodb://127.0.0.1:1', timeoutMs: 100 }),
  'a replica without memory': () =>
    startOwnHost({ memoryBudgetBytes: 1, mongo: { ...parts().config.mongo, timeoutMs: 100 } }),
  'a replica whose clients stall': () => startOwnHost({ transferTimeoutMs: 150 }),
  'a replica that does not monitor': () =>
    startOwnHost({}, () => ({ ...parts().database(), isMonitoring: () => false })),
  'a broken replica': () =>
    startOwnHost({}, () => {
      throw new Error('a bug');
    }),
};

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

const raw = (text: string, ends?: boolean) => (url: string) => sendText(url, text, ends);

/** What any request can get, by its query and its head alone. */
const rowsOfAll: Row[] = documentedOperations.flatMap(([method, template]) => {
  const path = template.replaceAll(/\{\w+\}/g, uuid);
  const heads: [string, string, number, string][] = [
    ['an unknown parameter', `?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0`, 400, 'invalid-query'],
    ['no Host', ' HTTP/1.1', 400, 'malformed-request'],
    [
      '201 header fields',
      ` HTTP/1.1\r\nHost: a${'\r\nA: b'.repeat(200)}`,
      431,
      'headers-too-large',
    ],
    ['another expectation', ' HTTP/1.1\r\nHost: a\r\nExpect: more', 417, 'expectation-failed'],
    [
      'another transfer coding',
      ' HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip',
      501,
      'unsupported-transfer-coding',
    ],
  ];
  return heads.map(([what, head, status, type]) => ({
    name: `${method} ${template} with ${what}`,
    request: raw(`${method} ${path}${head}\r\n\r\n`),
    status,
    type,
    ...(type !== 'invalid-query' && { ownHostOnly: 'the framework answers before the function' }),
  }));
});

/** What requests get from a replica in trouble. */
const rowsInTrouble: Row[] = (
  [
    ['a replica without a database', 'GET', '/data', 503, 'database-unavailable'],
    ['a replica without a database', 'GET', `/data/${uuid}`, 503, 'database-unavailable'],
    ['a replica without a database', 'POST', '/data', 503, 'database-unavailable'],
    ['a replica without a database', 'GET', '/readyz', 503, 'not-ready'],
    ['a replica without memory', 'GET', '/data', 503, 'overloaded'],
    ['a replica without memory', 'POST', '/data', 503, 'overloaded'],
    ['a replica that does not monitor', 'GET', '/livez', 503, 'not-alive'],
    ['a broken replica', 'GET', '/data', 500, 'internal'],
    ['a broken replica', 'GET', `/data/${uuid}`, 500, 'internal'],
    ['a broken replica', 'POST', '/data', 500, 'internal'],
    ['a broken replica', 'GET', '/livez', 500, 'internal'],
    ['a broken replica', 'GET', '/readyz', 500, 'internal'],
  ] as const
).map(([on, method, path, status, type]) => ({
  name: `${method} ${path}`,
  request: (url) => (method === 'POST' ? post(url + path, {}) : send(url + path)),
  status,
  type,
  on,
}));

/** What requests get that lack the right token. */
const rowsWithoutToken: Row[] = protectedOperations.flatMap(([method, template]) => {
  const path = template.replaceAll(/\{\w+\}/g, uuid);
  const unsigned = ['{"alg":"RS256"}', '{"iss":"http://127.0.0.1:1"}', ''];
  const jwt = unsigned.map((part) => Buffer.from(part).toString('base64url')).join('.');
  const answers: [string, string | undefined, number, string][] = [
    ['no token', undefined, 401, 'token-required'],
    ['an unknown API key', `${apiKey.key.slice(0, -5)}abcde`, 401, 'invalid-token'],
    ['an API key without the scope', otherApiKey.key, 403, 'insufficient-scope'],
    ['a token whose issuer does not answer', jwt, 503, 'authentication-unavailable'],
  ];
  return answers.map(([what, token, status, type]) => ({
    name: `${method} ${path} with ${what}`,
    request: (url: string) =>
      send(url + path, {
        method,
        headers: { ...(token && { Authorization: `Bearer ${token}` }) },
        ...(method !== 'GET' && { body: '{}' }),
      }),
    status,
    type,
    on: 'a replica that needs a token',
  }));
});

const rows: Row[] = [
  ...rowsOfAll,
  ...rowsInTrouble,
  ...rowsWithoutToken,
  {
    name: 'GET / has name, version, time and routes',
    request: get('/'),
    status: 200,
    check({ json }) {
      assert.is(json.name, name);
      assert.is(json.version, version);
      assert.match(json.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(json.routes.includes('POST /data'));
    },
  },
  {
    name: 'GET /time has the time in UTC',
    request: get('/time'),
    status: 200,
    headers: { 'content-type': 'application/json' },
    check({ json }) {
      assert.is(new Date(json.epochMs).toISOString(), json.time);
      assert.is(json.timezone, 'UTC');
      assert.equal(Object.keys(json), ['time', 'epochMs', 'timezone']);
    },
  },
  {
    name: 'GET /time?tz= has the offset of a zone',
    request: get('/time?tz=Asia/Tokyo'),
    status: 200,
    check({ json }) {
      assert.match(json.time, /\+09:00$/);
      assert.is(Date.parse(json.time), json.epochMs);
      assert.is(json.timezone, 'Asia/Tokyo');
    },
  },
  {
    name: 'a zone in any letter case, returned in its own spelling',
    request: get('/time?tz=asia/calcutta'),
    status: 200,
    check: ({ json }) => assert.is(json.timezone, 'Asia/Calcutta'),
  },
  {
    name: 'a zone with an encoded plus',
    request: get('/time?tz=Etc/GMT%2B5'),
    status: 200,
    check({ json }) {
      assert.match(json.time, /-05:00$/);
      assert.is(json.timezone, 'Etc/GMT+5');
    },
  },
  {
    name: 'a zone with a bare plus, which is a space',
    request: get('/time?tz=Etc/GMT+5'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
    check: ({ json }) => assert.match(json.detail, 'Etc/GMT%2B5'),
  },
  ...['BST', 'SystemV/EST5', '%2B09:00', '', 'Factory'].map((tz) => ({
    name: `a zone of "${tz}"`,
    request: get(`/time?tz=${tz}`),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
  })),
  {
    name: 'an unknown zone',
    request: get('/time?tz=Mars/Olympus'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
  },
  {
    name: 'an unknown parameter',
    request: get('/time?zone=UTC&x=1'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['zone'] }, { path: ['x'] }],
  },
  {
    name: 'a parameter given twice',
    request: get('/time?tz=UTC&tz=Asia/Tokyo'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['tz'] }],
  },
  ...['0', '201', '-1', '1.5', 'all', ''].map((limit) => ({
    name: `a limit of "${limit}"`,
    request: get(`/data?limit=${limit}`),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['limit'] }],
  })),
  {
    name: 'an invalid cursor',
    request: get('/data?cursor=abc'),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['cursor'] }],
  },
  {
    name: 'a parameter on a route without parameters',
    request: get(`/data/${uuid}?x=1`),
    status: 400,
    type: 'invalid-query',
    issues: [{ path: ['x'] }],
  },
  {
    name: 'an unknown document',
    request: get(`/data/${uuid}`),
    status: 404,
    type: 'not-found',
  },
  { name: 'an invalid id', request: get('/data/abc'), status: 404, type: 'not-found' },
  {
    name: 'an unknown route',
    request: get('/nothing'),
    status: 404,
    type: 'not-found',
    check: ({ json }) => assert.match(json.detail, 'GET / lists the routes'),
  },
  {
    name: 'an invalid encoding in the path',
    request: get('/data/%zz'),
    status: 404,
    type: 'not-found',
    ownHostOnly: 'Express decodes the path before it calls the function',
  },
  ...(
    [
      ['/time', 200],
      ['/data?limit=1', 200],
      [`/data/${uuid}`, 404],
      ['/', 200],
      ['/openapi.json', 200],
      ['/livez', 200],
    ] as const
  ).map(([path, status]) => ({
    name: `GET ${path} with an API key`,
    request: get(path, { headers: { Authorization: `Bearer ${apiKey.key}` } }),
    status,
    on: 'a replica that needs a token' as const,
  })),
  {
    name: 'POST /data with an API key',
    request: postData({ with: 'a key' }, { Authorization: `Bearer ${apiKey.key}` }),
    status: 201,
    on: 'a replica that needs a token',
  },
  { name: 'GET /livez', request: get('/livez'), status: 200 },
  {
    name: 'GET /readyz, once MongoDB was reached',
    async request(url) {
      await send(`${url}/data?limit=1`);
      return send(`${url}/readyz`);
    },
    status: 200,
  },
  {
    name: 'GET /openapi.json has the document, to which GET / links',
    async request(url) {
      const { headers, json } = await send(url);
      assert.is(headers.get('link'), `<${json.openapi}>; rel="service-desc"`);
      return send(url + json.openapi);
    },
    status: 200,
    check: ({ json }) =>
      assert.equal(json, JSON.parse(readFileSync('functions/openapi.json', 'utf8'))),
  },
  {
    name: 'GET /data/{id} has the document that was posted',
    async request(url) {
      const { headers } = await post(`${url}/data`, { test: 'persistence' });
      return send(url + headers.get('location'));
    },
    status: 200,
    check: ({ json }) => assert.equal(json.data, { test: 'persistence' }),
  },
  { name: 'a trailing slash', request: get('/data/?limit=1'), status: 200 },
  {
    name: 'OPTIONS on a collection',
    request: get('/data', { method: 'OPTIONS' }),
    status: 204,
    headers: { allow: 'GET, POST, HEAD, OPTIONS' },
  },
  {
    name: 'an unsupported method on a collection',
    request: get('/data', { method: 'DELETE' }),
    status: 405,
    type: 'method-not-allowed',
    headers: { allow: 'GET, POST, HEAD, OPTIONS' },
  },
  {
    name: 'an unsupported method on a document',
    request: get(`/data/${uuid}`, { method: 'PUT', body: '{}' }),
    status: 405,
    type: 'method-not-allowed',
    headers: { allow: 'GET, HEAD, OPTIONS' },
  },
  {
    name: 'POST /time',
    request: (url) => post(`${url}/time`, {}),
    status: 405,
    type: 'method-not-allowed',
  },
  {
    name: 'malformed JSON',
    request: postData('{"a":'),
    status: 400,
    type: 'malformed-json',
    ownHostOnly: 'the framework parses the body before it calls the function',
  },
  {
    name: 'an empty body',
    request: postData(''),
    status: 400,
    type: 'malformed-json',
  },
  {
    name: 'invalid UTF-8',
    request: (url) =>
      send(`${url}/data`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      }),
    status: 400,
    type: 'malformed-json',
  },
  ...['[1]', '[]', '"text"', '5', 'true', 'null'].map((body) => ({
    name: `${body} instead of an object`,
    request: postData(body),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: [] }],
    ...(!body.startsWith('[') && {
      ownHostOnly: 'the framework accepts only objects and arrays',
    }),
  })),
  {
    name: 'a body without a content type',
    request: (url) => send(`${url}/data`, { method: 'POST', body: Buffer.from('{}') }),
    status: 415,
    type: 'unsupported-media-type',
    headers: { 'accept-post': 'application/json' },
  },
  {
    name: 'a form',
    request: (url) =>
      send(`${url}/data`, { method: 'POST', body: new URLSearchParams({ a: '1' }) }),
    status: 415,
    type: 'unsupported-media-type',
  },
  {
    name: 'JSON with another charset',
    request: postData({}, { 'Content-Type': 'application/json; charset=iso-8859-1' }),
    status: 415,
    type: 'unsupported-media-type',
    ownHostOnly: 'the framework checks the charset before it calls the function',
  },
  {
    name: 'JSON with charset="UTF-8"',
    request: postData({}, { 'Content-Type': 'Application/JSON; charset="UTF-8"' }),
    status: 201,
  },
  {
    name: 'JSON with charset=utf8',
    request: postData({}, { 'Content-Type': 'application/json; charset=utf8' }),
    status: 201,
    ownHostOnly: 'the framework checks the charset before it calls the function',
  },
  ...['"open', '""', 'a b', 'a,b', '"a" "b"', '"é"', `"${'x'.repeat(256)}"`, 'x'.repeat(256)].map(
    (key) => ({
      name: `an Idempotency-Key of ${key.slice(0, 10)}`,
      request: postData({}, { 'Idempotency-Key': key }),
      status: 400,
      type: 'invalid-idempotency-key',
    }),
  ),
  {
    name: 'an Idempotency-Key that was sent with another document',
    async request(url) {
      const key = randomUUID();
      await postData({ n: 1 }, { 'Idempotency-Key': key })(url);
      return postData({ n: 2 }, { 'Idempotency-Key': key })(url);
    },
    status: 422,
    type: 'idempotency-key-reused',
  },
  {
    name: 'a body that ends early',
    request: raw(`${rawPostHead('Content-Length: 70')}{"a":1}`, true),
    status: 400,
    type: 'incomplete-body',
    ownHostOnly: 'the framework reads the body before it calls the function',
  },
  {
    name: 'a document for which there is no memory',
    async request(url) {
      const other = await startOwnHost();
      const { headers } = await post(`${other.url}/data`, {});
      await other.close();
      return send(url + headers.get('location'));
    },
    status: 503,
    type: 'overloaded',
    on: 'a replica without memory',
  },
  {
    name: 'a body that stops',
    request: raw(`${rawPostHead('Content-Length: 70')}{"a":1}`),
    status: 408,
    type: 'request-timeout',
    on: 'a replica whose clients stall',
  },
  {
    name: 'a content coding',
    request: (url) =>
      send(`${url}/data`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
        body: Buffer.from('H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==', 'base64'),
      }),
    status: 415,
    type: 'unsupported-content-coding',
    headers: { 'accept-encoding': 'identity' },
  },
  { name: 'a body over the limit', request: postData(large), status: 413, type: 'body-too-large' },
  {
    name: 'a chunked body over the limit',
    request: chunked(large),
    status: 413,
    type: 'body-too-large',
  },
  { name: 'a chunked body', request: chunked('{"a":1}'), status: 201 },
  { name: 'nesting at the limit', request: postData(nested(64)), status: 201 },
  {
    name: 'nesting over the limit',
    request: postData(nested(65)),
    status: 422,
    type: 'nesting-too-deep',
  },
  {
    name: 'nesting that would overflow a stack',
    request: postData(`{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}`),
    status: 422,
    type: 'nesting-too-deep',
  },
  {
    name: 'a number too large for a double',
    request: postData('{"a":[0,{"b":1e400}]}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a', 1, 'b'] }],
  },
  {
    name: 'half a surrogate pair in a text',
    request: postData('{"a":"\\ud83d"}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a'] }],
  },
  {
    name: 'half a surrogate pair in a name',
    request: postData('{"\\ude00":1}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['\ude00'] }],
  },
  {
    name: 'NUL in a name',
    request: postData('{"a":{"b\\u0000":1}}'),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a', 'b\0'] }],
  },
  {
    name: 'a name that the driver reserves',
    request: postData({ a: [{ _bsontype: 'Long' }] }),
    status: 422,
    type: 'invalid-document',
    issues: [{ path: ['a', 0, '_bsontype'] }],
  },
];

const hosts: [string, () => Promise<Host>][] = [
  ['own host', startOwnHost],
  ['framework', () => startFramework('app')],
];

const conformance = createConformance();

for (const [host, start] of [...hosts, ...Object.entries(specialHosts)]) {
  const test = suite(host);
  let server: Host;
  test.before(async () => {
    server = await start();
  });
  test.after(() => server.close());

  for (const { name, request, status, type, issues, headers, check, ownHostOnly, on } of rows) {
    if (on ? on !== host : host in specialHosts) continue;
    if (ownHostOnly && host === 'framework') continue;
    test(name, async () => {
      const response = await request(server.url);
      assert.is(response.status, status, response.text);
      conformance.check(response);
      for (const [header, value] of Object.entries(headers ?? {})) {
        assert.is(response.headers.get(header), value);
      }
      if (type) {
        assert.is(response.headers.get('content-type'), 'application/problem+json');
        assert.is(response.json.type, `urn:problem-type:${type}`);
        assert.is(response.json.status, status);
        assert.type(response.json.detail, 'string');
        assert.not.match(response.text, /node_modules|at \w+ \(/);
      }
      if (issues) {
        assert.equal(
          response.json.issues.map((issue: { path: unknown }) => ({ path: issue.path })),
          issues,
        );
      }
      check?.(response);
    });
  }
  test.run();
}

const document = suite('the OpenAPI document');

document('has no answer without a row', () => assert.equal(conformance.unseen(), []));

document('has examples of problems that rows got', () =>
  assert.equal(conformance.unseenExamples(), []),
);

document.run();

for (const [host, start] of hosts) {
  const test = suite(host);
  let server: Host;
  test.before(async () => {
    server = await start();
  });
  test.after(() => server.close());

  test('POST /data stores a document, GET /data/{id} returns it', async () => {
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

  test('HEAD responds like GET, without a body', async () => {
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

  test('numbers are doubles: -0 is returned as 0, integers over 2^53 are rounded', async () => {
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

own('documents are returned exactly as posted, with any names', async () => {
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
        // this server refuses such names, so the response has to say which one it was
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
