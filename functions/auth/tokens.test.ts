import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactEncrypt, exportJWK, SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Host,
  rawGet,
  send,
  sendRaw,
  sendText,
  startOwnHost,
  until,
} from '../testing/testing';
import { toCaller } from './tokens';

const issuer = 'https://issuer.example';
const audience = 'functions';
const subject = 'system:serviceaccount:shop:caller';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const shared = Buffer.alloc(32, 'a');

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ iss: issuer, aud: audience, sub: subject, exp: now() + 600 });
type Claims = Record<string, unknown>;

/** A token as an issuer makes it, with some claims and header parameters replaced. */
function sign(
  more: Claims = {},
  header: Claims = {},
  key: KeyObject | Uint8Array = rsa.privateKey,
) {
  const payload = JSON.parse(JSON.stringify({ ...claims(), ...more }));
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'rsa', ...header }).sign(key);
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token whose header and payload no library would sign. */
function signRaw(header: unknown, payload: unknown = claims()): string {
  const content = `${encode(header)}.${encode(payload)}`;
  const signature = createSign('sha256').update(content).sign(rsa.privateKey, 'base64url');
  return `${content}.${signature}`;
}

function hmac(header: unknown, secret: string | Buffer): string {
  const content = `${encode(header)}.${encode(claims())}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

/** A token of five parts, encrypted for the public key. */
async function encrypt(): Promise<string> {
  return new CompactEncrypt(Buffer.from(await sign()))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: 'rsa' })
    .encrypt(rsa.publicKey);
}

const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const rs256 = { alg: 'RS256', kid: 'rsa' };

const accepted: [string, () => string | Promise<string>][] = [
  ['RS256', () => sign()],
  ['PS256', () => sign({}, { alg: 'PS256' })],
  ['ES256', () => sign({}, { alg: 'ES256', kid: 'ec' }, ec.privateKey)],
  ['EdDSA', () => sign({}, { alg: 'EdDSA', kid: 'ed' }, ed.privateKey)],
  [
    'no kid, where one key can be meant',
    () => sign({}, { alg: 'ES256', kid: undefined }, ec.privateKey),
  ],
  ['several audiences', () => sign({ aud: ['other', audience] })],
  ['expired for less than the tolerance', () => sign({ exp: now() - 20 })],
  ['valid in less than the tolerance', () => sign({ nbf: now() + 20 })],
  ['its scopes in scope', () => sign({ scope: 'openid time:read' })],
  ['its scopes in scp', () => sign({ scp: ['time:read'] })],
  ['typ of RFC 9068', () => sign({}, { typ: 'at+jwt' })],
  ['typ of RFC 9068 in full', () => sign({}, { typ: 'application/at+JWT' })],
  ['typ of RFC 7519', () => sign({}, { typ: 'JWT' })],
];

const refused: [string, () => string | Promise<string>, advice: string][] = [
  ['alg none', () => `${encode({ alg: 'none' })}.${encode(claims())}.`, "can't be verified"],
  ['alg None', () => `${encode({ alg: 'None' })}.${encode(claims())}.`, "can't be verified"],
  [
    'alg none and a signature',
    async () => {
      const [, , signature] = (await sign()).split('.');
      return `${encode({ alg: 'none' })}.${encode(claims())}.${signature}`;
    },
    "can't be verified",
  ],
  ['HS256 with the public key', () => hmac({ alg: 'HS256', kid: 'rsa' }, pem), "can't be verified"],
  [
    'HS256 with the public key as DER',
    () => hmac({ alg: 'HS256', kid: 'rsa' }, rsa.publicKey.export({ type: 'spki', format: 'der' })),
    "can't be verified",
  ],
  [
    'HS256 with a secret of the key set',
    () => hmac({ alg: 'HS256', kid: 'oct' }, shared),
    "can't be verified",
  ],
  [
    'no signature',
    async () => `${(await sign()).split('.').slice(0, 2).join('.')}.`,
    "can't be verified",
  ],
  [
    'a signature of other claims',
    async () => {
      const [header, , signature] = (await sign()).split('.');
      return `${header}.${encode({ ...claims(), sub: 'root' })}.${signature}`;
    },
    "can't be verified",
  ],
  [
    'the signature of all zeros (ECDSA)',
    () =>
      `${encode({ alg: 'ES256', kid: 'ec' })}.${encode(claims())}.${Buffer.alloc(64).toString('base64url')}`,
    "can't be verified",
  ],
  ['another key', () => sign({}, {}, attacker.privateKey), "can't be verified"],
  [
    'another algorithm of the same key type',
    () => sign({}, { alg: 'RS256', kid: 'ps' }),
    "can't be verified",
  ],
  [
    'a key of 1024 bits',
    () => {
      const content = `${encode({ alg: 'RS256', kid: 'weak' })}.${encode(claims())}`;
      return `${content}.${createSign('sha256').update(content).sign(weak.privateKey, 'base64url')}`;
    },
    "can't be verified",
  ],
  ['an encryption key', () => sign({}, { kid: 'enc' }), "can't be verified"],
  ['an unknown kid', () => sign({}, { kid: 'unknown' }), "can't be verified"],
  ['a kid that is a path', () => sign({}, { kid: '../../dev/null' }), "can't be verified"],
  [
    'no kid, where several keys can be meant',
    () => sign({}, { kid: undefined }),
    "can't be verified",
  ],
  [
    'an embedded jwk',
    async () =>
      sign({}, { kid: 'unknown', jwk: await exportJWK(attacker.publicKey) }, attacker.privateKey),
    "can't be verified",
  ],
  [
    'an embedded jwk and a known kid',
    async () => sign({}, { jwk: await exportJWK(attacker.publicKey) }, attacker.privateKey),
    "can't be verified",
  ],
  [
    'a jku',
    () => sign({}, { kid: 'unknown', jku: 'https://attacker.example/jwks' }, attacker.privateKey),
    "can't be verified",
  ],
  [
    'an unknown critical parameter',
    () => signRaw({ ...rs256, crit: ['x'], x: 1 }),
    "can't be verified",
  ],
  [
    'an unencoded payload',
    () => signRaw({ ...rs256, crit: ['b64'], b64: false }),
    "can't be verified",
  ],
  [
    'a token in a token',
    async () => signRaw({ ...rs256, cty: 'JWT' }, await sign()),
    "can't be verified",
  ],
  ['an encrypted token', encrypt, "can't be verified"],
  ['another issuer', () => sign({ iss: 'https://attacker.example' }), 'another issuer'],
  [
    'an issuer that begins alike',
    () => sign({ iss: `${issuer}.attacker.example` }),
    'another issuer',
  ],
  ['issuers in an array', () => sign({ iss: [issuer] }), 'another issuer'],
  ['no issuer', () => sign({ iss: undefined }), 'another issuer'],
  ['another audience', () => sign({ aud: 'other' }), 'another audience'],
  ['no audience', () => sign({ aud: undefined }), 'another audience'],
  ['expired', () => sign({ exp: now() - 31 }), 'has expired'],
  ['not valid yet', () => sign({ nbf: now() + 60 }), 'not valid yet'],
  ['no exp', () => sign({ exp: undefined }), 'no time at which it expires'],
  [
    'exp beyond all times',
    () => signRaw(rs256, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
    'no time at which it expires',
  ],
  ['exp as text', () => sign({ exp: String(now() + 600) }), 'no time at which it expires'],
  ['oversize', () => sign({ padding: 'x'.repeat(8192) }), 'at most 8192'],
  ['claims that are no object', () => signRaw(rs256, '[]'), "can't be verified"],
  ['claims that are no JSON', () => signRaw(rs256, '{'), "can't be verified"],
  ['two parts', () => 'a.b', "can't be verified"],
  ['four parts', async () => `${await sign()}.a`, "can't be verified"],
  ['whitespace inside', async () => (await sign()).replace('.', ' .'), "can't be verified"],
  ['a token in quotes', async () => `"${await sign()}"`, 'base64url'],
  ['a padded signature', async () => `${await sign()}==`, 'base64url'],
  ['a space in the signature', async () => (await sign()).replace(/.$/, ' $&'), 'base64url'],
  [
    'a signature with other last bits, which are ignored',
    // of the last character, only two of six bits count
    async () => (await sign()).replace(/.$/, (char) => String.fromCharCode(char.charCodeAt(0) + 1)),
    'base64url',
  ],
  ['a logout token', () => sign({}, { typ: 'logout+jwt' }), 'access token'],
  ['typ in an array', () => signRaw({ ...rs256, typ: ['JWT'] }), 'access token'],
  ['typ null', () => signRaw({ ...rs256, typ: null }), 'access token'],
  ['a no-break space after it', async () => `${await sign()}\u00a0`, 'base64url'],
  ['a token for introspection', () => sign({}, { typ: 'token-introspection+jwt' }), 'access token'],
];

const test = suite<{ host: Host }>('tokens');
const folder = mkdtempSync(join(tmpdir(), 'tokens-test-'));
const file = join(folder, 'jwks.json');

const jwk = async (key: KeyObject, more: Claims) => ({ ...(await exportJWK(key)), ...more });

async function writeKeys(without?: string): Promise<void> {
  const keys = [
    await jwk(rsa.publicKey, { kid: 'rsa' }),
    await jwk(rsa.publicKey, { kid: 'ps', alg: 'PS256' }),
    await jwk(rsa.publicKey, { kid: 'enc', use: 'enc' }),
    await jwk(attacker.publicKey, { kid: 'other' }),
    await jwk(weak.publicKey, { kid: 'weak' }),
    await jwk(ec.publicKey, { kid: 'ec' }),
    await jwk(ed.publicKey, { kid: 'ed' }),
    { kty: 'oct', k: shared.toString('base64url'), kid: 'oct' },
  ];
  writeFileSync(file, JSON.stringify({ keys: keys.filter(({ kid }) => kid !== without) }));
}

const settings = { issuer, audience, jwks: { file }, requireScope: false };
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

test('the name of a caller is short and can be printed', () => {
  for (const [sub, name] of [
    ['Jörg Müller', 'sub:Jörg Müller'],
    ['a\u001b[31m\u009b31m\u202eb', 'sub:a?[31m?31m?b'],
    ['x'.repeat(1000), `sub:${'x'.repeat(200)}`],
    [undefined, 'sub:'],
  ] as const) {
    assert.is(toCaller(sub === undefined ? {} : { sub }, false).name, name);
  }
});

test.before(async (context) => {
  await writeKeys();
  context.host = await startOwnHost({
    auth: { tokens: settings },
    corsOrigins: ['https://app.example'],
  });
});

test.after(async ({ host }) => {
  await host.close();
  rmSync(folder, { recursive: true });
});

for (const [what, make] of accepted) {
  test(`accepted: ${what}`, async ({ host }) => {
    const token = await make();
    for (let i = 0; i < 2; i++) {
      const { status, text } = await send(`${host.url}/time`, bearer(token));
      assert.is(status, 200, text);
    }
  });
}

for (const [what, make, advice] of refused) {
  test(`refused: ${what}`, async ({ host }) => {
    const token = await make();
    for (let i = 0; i < 2; i++) {
      const { status, text, json, headers } = await send(`${host.url}/time`, bearer(token));
      assert.is(status, 401, text);
      assert.is(json.type, 'urn:problem-type:invalid-token');
      assert.match(json.detail, advice);
      assert.match(
        headers.get('www-authenticate') ?? '',
        /^Bearer realm="functions", error="invalid_token", error_description="[^"\\]+"$/,
      );
    }
  });
}

test('a token of another place than the header is not looked at', async ({ host }) => {
  const token = await sign();
  for (const init of [
    {},
    { headers: { Cookie: `access_token=${token}` } },
    { headers: { 'X-Authorization': `Bearer ${token}` } },
    { headers: { Authorization: token } },
    { headers: { Authorization: `Basic ${token}` } },
    { headers: { Authorization: `Bearer${token}` } },
    { headers: { Authorization: 'Bearer ' } },
  ]) {
    const { status, json, headers } = await send(`${host.url}/time?access_token=${token}`, init);
    assert.is(status, 401);
    assert.is(json.type, 'urn:problem-type:token-required');
    assert.is(headers.get('www-authenticate'), 'Bearer realm="functions"');
  }
  const both = await send(`${host.url}/time?access_token=${token}`, bearer(token));
  assert.is(both.status, 400);
});

test('the name of the scheme may have any letter case', async ({ host }) => {
  const token = await sign();
  for (const Authorization of [`bearer ${token}`, `BEARER  ${token}`]) {
    assert.is((await send(`${host.url}/time`, { headers: { Authorization } })).status, 200);
  }
});

test('two tokens are refused, in either order', async ({ host }) => {
  const lines = [`Authorization: Bearer ${await sign()}`, 'Authorization: Bearer other'];
  for (const [first, second] of [lines, lines.toReversed()] as [string, string][]) {
    const text = `GET /time HTTP/1.1\r\nHost: a\r\n${first}\r\n${second}\r\n\r\n`;
    const { status } = await sendText(host.url, text);
    assert.is(status, 400);
  }
});

test('a token has the scopes that it names, or all', async ({ host }) => {
  const strict = await startOwnHost({ auth: { tokens: { ...settings, requireScope: true } } });
  const statusOf = async ({ url }: Host, more: Claims, path: string) =>
    (await send(url + path, bearer(await sign(more)))).status;
  try {
    for (const [more, time, data] of [
      [{ scope: 'time:read' }, 200, 403],
      [{ scope: 'data:read time:read' }, 200, 200],
      [{ scope: 'data:write' }, 403, 403],
      [{ scp: ['data:read'] }, 403, 200],
      [{ scp: 'data:read' }, 403, 200],
      [{ scope: 'time:read', scp: ['data:read'] }, 200, 403],
      [{ scope: '' }, 403, 403],
      [{ scope: null }, 403, 403],
      [{ scope: 1 }, 403, 403],
      [{ scope: 'time:readx xtime:read TIME:READ' }, 403, 403],
      [{ scope: { 'time:read': true } }, 403, 403],
    ] as const) {
      for (const on of [host, strict]) {
        assert.is(await statusOf(on, more, '/time'), time, JSON.stringify(more));
        assert.is(await statusOf(on, more, '/data?limit=1'), data, JSON.stringify(more));
      }
    }
    assert.is(await statusOf(host, {}, '/data?limit=1'), 200);
    assert.is(await statusOf(strict, {}, '/data?limit=1'), 403);
  } finally {
    await strict.close();
  }
});

test('whatever is requested needs a token, except the index, its documents and probes', async ({
  host,
}) => {
  const token = await sign({ scope: '' });
  const id = crypto.randomUUID();
  const statusOf = async (method: string, path: string, more = {}) =>
    (await send(host.url + path, { method, ...more })).status;
  for (const [method, path, status] of [
    ['GET', '/time', 403],
    ['HEAD', '/time', 403],
    ['GET', '/time/', 403],
    ['GET', `/data/${id}`, 403],
    ['DELETE', '/time', 405],
    ['OPTIONS', '/time', 204],
    ['GET', '/nothing', 404],
    ['GET', '//time', 404],
    ['GET', '/%74ime', 403],
    ['GET', '/TIME', 404],
    ['GET', '/%', 404],
    ['GET', '/livez/x', 404],
  ] as const) {
    assert.is(await statusOf(method, path), 401, `${method} ${path}`);
    assert.is(await statusOf(method, path, bearer(token)), status, `${method} ${path}`);
  }
  for (const path of ['/', '/openapi.json', '/livez']) {
    assert.is(await statusOf('GET', path), 200, path);
    assert.is(await statusOf('POST', path), 405, path);
    assert.is(await statusOf('GET', `${path}?access_token=${token}`), 400, path);
  }
});

test('the index and the OpenAPI document tell that a token is needed', async ({ host }) => {
  assert.is((await send(host.url)).json.authentication, 'bearer');
  const { paths } = (await send(`${host.url}/openapi.json`)).json;
  assert.equal(paths['/data'].post.security, [{ token: ['data:write'] }]);
  const open = Object.keys(paths).filter((path) => !paths[path].get.security);
  assert.equal(open, ['/', '/openapi.json', '/livez', '/readyz']);
});

test('a page of an origin that is named is told without a token that it may send one', async ({
  host,
}) => {
  const preflight = (Origin: string) =>
    send(`${host.url}/data`, {
      method: 'OPTIONS',
      headers: { Origin, 'Access-Control-Request-Method': 'POST' },
    });
  assert.is((await preflight('https://app.example')).status, 204);
  assert.is((await preflight('https://other.example')).status, 401);
  const headers = { Origin: 'https://app.example' };
  const refused = await send(`${host.url}/time`, { headers });
  assert.is(refused.status, 401);
  assert.is(refused.headers.get('access-control-allow-origin'), headers.Origin);
});

test('a stranger is answered before a body is read', async ({ host }) => {
  const head = 'POST /data HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
  const { status } = await sendText(host.url, `${head}Content-Length: 1000000\r\n\r\n{`);
  assert.is(status, 401);
  const expecting = await sendText(
    host.url,
    `${head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`,
  );
  assert.is(expecting.status, 401);
});

test('pipelined requests get the answers of their own tokens, in order', async ({ host }) => {
  const token = await sign({ sub: 'pipelined' });
  const received = await sendRaw(
    host.url,
    rawGet('/time', `Authorization: Bearer ${token}`) +
      rawGet('/time') +
      rawGet('/time', `Authorization: Bearer ${token}`, 'Connection: close'),
  );
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.equal(statuses, ['200', '401', '200']);
});

test('a token that is known is refused once its key is withdrawn', async ({ host }) => {
  const token = await sign({}, { alg: 'EdDSA', kid: 'ed' }, ed.privateKey);
  const status = async () => (await send(`${host.url}/time`, bearer(token))).status;
  assert.is(await status(), 200);
  await writeKeys('ed');
  await until(async () => (await status()) === 401);
  await writeKeys();
  await until(async () => (await status()) === 200);
});

test.run();
