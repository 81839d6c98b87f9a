import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAccess, parseConfig } from './config';
import { ConfigError } from './runtime/errors';

/** Passwords that careless parsing would change. */
const hostile = [
  ' blank ',
  '\ttab',
  'return\r',
  'two\nlines',
  `quotes'"\`$(id)\\n#: {%}`,
  'grüße 🗝',
];

const uri = 'mongodb://user:s3cret@db:27017/shop?authSource=admin';

function errorOf(env: Record<string, string>): string {
  try {
    parseConfig(env);
  } catch (error) {
    assert.instance(error, ConfigError);
    return (error as Error).message;
  }
  return assert.unreachable() as never;
}

test('defaults', () => {
  assert.equal(parseConfig({ MONGODB_URI: 'mongodb://db' }), {
    port: 8080,
    logLevel: 'info',
    logRequests: true,
    bodyLimitBytes: 1_048_576,
    keepAliveTimeoutMs: 95_000,
    drainDelayMs: 1000,
    drainTimeoutMs: 10_000,
    memoryBudgetBytes: 134_217_728,
    transferTimeoutMs: 30_000,
    maxConnections: 5000,
    mongo: { uri: 'mongodb://db', databaseName: 'functions', poolSize: 10, timeoutMs: 5000 },
  });
});

test('metrics are off unless they have a port of their own', () => {
  const env = { MONGODB_URI: 'mongodb://db' };
  assert.is(parseConfig({ ...env, METRICS_PORT: '9464' }).metricsPort, 9464);
  assert.not('metricsPort' in parseConfig({ ...env, METRICS_PORT: '' }));
  assert.match(errorOf({ ...env, METRICS_PORT: 'on' }), 'METRICS_PORT: must be a whole number');
  assert.match(errorOf({ ...env, METRICS_PORT: '8080' }), 'METRICS_PORT: must be another port');
  assert.is(parseConfig({ ...env, PORT: '0', METRICS_PORT: '0' }).metricsPort, 0);
});

test('traces are off unless there is a collector for them', () => {
  const off = { MONGODB_URI: 'mongodb://db' };
  const on = { ...off, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:s3cret@collector:4318/otlp' };
  assert.equal(parseConfig(on).tracing, { collector: 'http://collector:4318' });
  const { OTEL_EXPORTER_OTLP_ENDPOINT: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = on;
  assert.ok(parseConfig({ ...off, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT }).tracing);
  for (const without of [
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_SDK_DISABLED: 'True' },
    { OTEL_TRACES_EXPORTER: 'none' },
  ]) {
    assert.not('tracing' in parseConfig({ ...on, ...without, OTEL_TRACES_SAMPLER: 'unknown' }));
  }
});

for (const [name, value, wanted] of [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'must look like http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector', 'must look like http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', '/v1/traces', 'must look like http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'must be http/protobuf'],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', 'must be a whole number'],
  [
    'OTEL_TRACES_SAMPLER',
    'sometimes',
    'must be one of always_on, always_off, traceidratio, parent',
  ],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'must be a number from 0 to 1'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'team', 'must look like name=value'],
] as const) {
  test(`${name}=${value} is an error where traces are on`, () => {
    const on = { MONGODB_URI: 'mongodb://db', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector' };
    assert.match(errorOf({ ...on, [name]: value }), `${name}: ${wanted}`);
  });
}

test('everybody may call unless an issuer or a file of API keys is named', () => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));
  process.once('exit', () => rmSync(directory, { recursive: true }));
  const file = join(directory, 'file');
  const issuer = 'https://issuer.example/';
  const tokens = { AUTH_ISSUER: issuer, AUTH_AUDIENCE: 'functions' };
  assert.equal(parseAccess({ CORS_ORIGINS: '' }), {});
  // of a Service named `auth`, and of one named `auth-api`
  const links = [
    'AUTH_SERVICE_HOST',
    'AUTH_PORT',
    'AUTH_PORT_80_TCP',
    'AUTH_API_SERVICE_PORT_HTTP',
  ];
  assert.equal(parseAccess(Object.fromEntries(links.map((name) => [name, 'x']))), {});
  assert.equal(parseConfig({ MONGODB_URI: uri, ...tokens }).auth, {
    tokens: { issuer, audience: 'functions', jwks: {}, requireScope: false },
  });
  const url = 'https://issuer.example/jwks';
  writeFileSync(file, 'a.b.c\n');
  assert.equal(
    parseAccess({ ...tokens, AUTH_JWKS_URL: url, AUTH_JWKS_TOKEN_FILE: file }).auth?.tokens?.jwks,
    { url, tokenFile: file },
  );
  writeFileSync(file, '{"keys":[]}');
  assert.equal(
    parseAccess({
      ...tokens,
      AUTH_ISSUER: 'any name',
      AUTH_JWKS_FILE: file,
      AUTH_REQUIRE_SCOPE: 'true',
    }),
    {
      auth: {
        tokens: { issuer: 'any name', audience: 'functions', jwks: { file }, requireScope: true },
      },
    },
  );
  writeFileSync(file, '# no keys yet');
  assert.equal(parseAccess({ AUTH_API_KEYS_FILE: file }).auth, { apiKeysFile: file });
});

test('a mistake in who may call never lets everybody in', () => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));
  process.once('exit', () => rmSync(directory, { recursive: true }));
  const file = join(directory, 'file');
  writeFileSync(file, 's3cret');
  const twoLines = join(directory, 'two-lines');
  writeFileSync(twoLines, 's3cret\ns3cret');
  const tokens = { AUTH_ISSUER: 'https://issuer.example', AUTH_AUDIENCE: 'functions' };
  for (const [env, message] of [
    [{ AUTH_API_KEYS_FILE: '' }, 'AUTH_API_KEYS_FILE: is empty'],
    [{ AUTH_ISSUER: '' }, 'AUTH_ISSUER: is empty'],
    [{ ...tokens, AUTH_REQUIRE_SCOPE: '' }, 'AUTH_REQUIRE_SCOPE: is empty'],
    [
      { ...tokens, AUTH_REQUIRE_SCOPES: 'true' },
      'AUTH_REQUIRE_SCOPES: is unknown; the settings are',
    ],
    [{ AUTH_KEYS: file }, 'AUTH_KEYS: is unknown'],
    [{ AUTH_ISSUER: tokens.AUTH_ISSUER }, 'AUTH_AUDIENCE: set this to'],
    [{ AUTH_AUDIENCE: 'functions' }, 'AUTH_AUDIENCE: set this together with AUTH_ISSUER'],
    [{ AUTH_JWKS_URL: 'https://a' }, 'AUTH_JWKS_URL: set this together with AUTH_ISSUER'],
    [{ AUTH_REQUIRE_SCOPE: 'true' }, 'AUTH_REQUIRE_SCOPE: set this together with AUTH_ISSUER'],
    [{ ...tokens, AUTH_ISSUER: 'http://issuer.example' }, 'AUTH_ISSUER: must be a URL with https'],
    [{ ...tokens, AUTH_ISSUER: 'http://localhost.example' }, 'AUTH_ISSUER: must be a URL'],
    [{ ...tokens, AUTH_JWKS_URL: 'http://a/jwks' }, 'AUTH_JWKS_URL: must be a URL with https'],
    [
      { ...tokens, AUTH_JWKS_URL: 'https://a', AUTH_JWKS_FILE: file },
      'AUTH_JWKS_FILE: set this or',
    ],
    [{ ...tokens, AUTH_JWKS_FILE: file }, 'AUTH_JWKS_FILE: the key set is not JSON'],
    [{ ...tokens, AUTH_JWKS_TOKEN_FILE: file }, 'AUTH_JWKS_TOKEN_FILE: set this together with'],
    [
      { ...tokens, AUTH_JWKS_URL: 'https://a', AUTH_JWKS_TOKEN_FILE: twoLines },
      'AUTH_JWKS_TOKEN_FILE: the file has no token',
    ],
    [{ ...tokens, AUTH_REQUIRE_SCOPE: 'yes' }, 'AUTH_REQUIRE_SCOPE: must be true or false'],
    [{ AUTH_API_KEYS_FILE: file }, 'AUTH_API_KEYS_FILE: line 1 is not NAME sha256:HASH SCOPE'],
    [{ AUTH_API_KEYS_FILE: directory }, "AUTH_API_KEYS_FILE: the file can't be read (EISDIR)"],
    [
      { AUTH_API_KEYS_FILE: `${file}-missing` },
      "AUTH_API_KEYS_FILE: the file can't be read (ENOENT)",
    ],
    [{ CORS_ORIGINS: '*' }, 'CORS_ORIGINS: must be origins such as'],
    [{ CORS_ORIGINS: 'https://a.example/' }, 'CORS_ORIGINS: must be origins such as'],
    [{ CORS_ORIGINS: 'https://a.example,' }, 'CORS_ORIGINS: must be origins such as'],
  ] as [Record<string, string>, string][]) {
    assert.match(errorOf({ MONGODB_URI: uri, ...env }), message);
    assert.throws(() => parseAccess(env), message);
    assert.not.match(errorOf({ MONGODB_URI: uri, ...env }), 's3cret');
  }
  assert.equal(parseAccess({ CORS_ORIGINS: 'https://a.example, http://localhost:3000' }), {
    corsOrigins: ['https://a.example', 'http://localhost:3000'],
  });
});

test('host, port, user and password', () => {
  const { mongo } = parseConfig({
    MONGO_HOST: 'mongo-service',
    MONGO_PORT: '27018',
    MONGO_USERNAME: 'app',
    MONGO_PASSWORD: 'p@ss/w:rd',
    MONGO_DATABASE: 'shop',
    MONGO_POOL_SIZE: '4',
  });
  assert.is(mongo.uri, 'mongodb://mongo-service:27018');
  assert.equal(mongo.auth, { username: 'app', password: 'p@ss/w:rd' });
  assert.is(mongo.databaseName, 'shop');
  assert.is(mongo.poolSize, 4);
  assert.is(parseConfig({ MONGO_HOST: '::1' }).mongo.uri, 'mongodb://[::1]:27017');
});

test('a database name that MongoDB refuses is refused at once', () => {
  const uri = 'mongodb://localhost';
  const longest = `${'é'.repeat(31)}a`;
  assert.is(parseConfig({ MONGODB_URI: `${uri}/${longest}` }).mongo.databaseName, longest);
  for (const name of ['é'.repeat(32), 'a'.repeat(64), 'a\0']) {
    const encoded = encodeURIComponent(name);
    assert.throws(() => parseConfig({ MONGODB_URI: `${uri}/${encoded}` }), 'MONGODB_URI: the name');
    assert.throws(
      () => parseConfig({ MONGODB_URI: uri, MONGO_DATABASE: name }),
      'MONGO_DATABASE: must have 1 to 63 bytes',
    );
  }
});

test('the database name of the URI, unless MONGO_DATABASE is set', () => {
  assert.is(parseConfig({ MONGODB_URI: uri }).mongo.databaseName, 'shop');
  assert.is(parseConfig({ MONGODB_URI: uri, MONGO_DATABASE: 'other' }).mongo.databaseName, 'other');
});

test('the database name of a URI is decoded and validated', () => {
  assert.is(parseConfig({ MONGODB_URI: 'mongodb://db/caf%C3%A9' }).mongo.databaseName, 'café');
  assert.match(
    errorOf({ MONGODB_URI: 'mongodb://db/a.b' }),
    'MONGODB_URI: the name of its database',
  );
  const message = errorOf({ MONGODB_URI: 'mongodb://app:s3/cret@db:27017' });
  assert.match(message, 'if the password has a /, write it as %2F');
  assert.not.match(message, 'cret');
});

test('an empty variable counts as unset', () => {
  const config = parseConfig({ MONGODB_URI: uri, MONGO_HOST: '', PORT: '', LOG_LEVEL: '' });
  assert.is(config.port, 8080);
});

const directory = mkdtempSync(join(tmpdir(), 'config-'));
process.once('exit', () => rmSync(directory, { recursive: true }));

/** Writes a file of its own. */
function fileWith(text: string): string {
  const file = join(mkdtempSync(join(directory, 'file-')), 'secret');
  writeFileSync(file, text);
  return file;
}

test('every secret can be in a file', () => {
  const byName = {
    MONGO_HOST: 'db',
    MONGO_USERNAME_FILE: fileWith('app\n'),
    MONGO_PASSWORD_FILE: fileWith(' s3cret \n'),
  };
  assert.equal(parseConfig(byName).mongo.auth, { username: 'app', password: ' s3cret ' });
  assert.is(parseConfig({ MONGODB_URI_FILE: fileWith(`${uri}\n`) }).mongo.uri, uri);
});

test('a file that has no secret is one error, which does not say what it has', () => {
  const env = { MONGO_HOST: 'db', MONGO_USERNAME: 'app' };
  const missing = join(directory, 'missing');
  const title = "The configuration can't be used:\n";
  assert.is(
    errorOf({ ...env, MONGO_PASSWORD_FILE: missing }),
    `${title}  MONGO_PASSWORD_FILE: the file can't be read (ENOENT)`,
  );
  assert.is(
    errorOf({ ...env, MONGO_PASSWORD_FILE: fileWith('\n') }),
    `${title}  MONGO_PASSWORD_FILE: the file is empty`,
  );
  assert.is(
    errorOf({ MONGODB_URI_FILE: missing }),
    `${title}  MONGODB_URI_FILE: the file can't be read (ENOENT)`,
  );
  const message = errorOf({ MONGODB_URI_FILE: fileWith('http://app:s3cret@db') });
  assert.match(message, 'MONGODB_URI: must look like');
  assert.not.match(message, 's3cret');
});

test('the certificate that MongoDB has to have', () => {
  const file = fileWith('-----BEGIN CERTIFICATE-----');
  assert.is(
    parseConfig({ MONGO_HOST: 'db', MONGO_TLS_CA_FILE: file }).mongo.uri,
    `mongodb://db:27017?tls=true&tlsCAFile=${encodeURIComponent(file)}`,
  );
  for (const [path, error] of [
    [join(directory, 'missing'), "the file can't be read (ENOENT)"],
    [fileWith(''), 'the file is empty'],
    [fileWith('-----BEGIN PRIVATE KEY-----'), 'the file has no certificate in PEM'],
  ] as const) {
    const message = errorOf({ MONGO_HOST: 'db', MONGO_TLS_CA_FILE: path });
    assert.match(message, `MONGO_TLS_CA_FILE: ${error}`);
  }
});

test('the certificate beside a URI, wherever that is from', () => {
  const MONGO_TLS_CA_FILE = fileWith('-----BEGIN CERTIFICATE-----');
  for (const [uri, added] of [
    ['mongodb://db', '?tls=true&'],
    ['mongodb://db/shop', '?tls=true&'],
    ['mongodb://db/?', 'tls=true&'],
    ['mongodb://app:p%3Fw@a:1,b:2/?replicaSet=rs0', '&tls=true&'],
    ['mongodb://a,b/?TLS=true', '&'],
    ['mongodb://db/?ssl=true', '&'],
    ['mongodb+srv://db.example.com', '?tls=true&'],
  ] as const) {
    const wanted = `${uri}${added}tlsCAFile=${encodeURIComponent(MONGO_TLS_CA_FILE)}`;
    const inFile = { MONGODB_URI_FILE: fileWith(`${uri}\n`), MONGO_TLS_CA_FILE };
    assert.is(parseConfig({ MONGODB_URI: uri, MONGO_TLS_CA_FILE }).mongo.uri, wanted);
    assert.is(parseConfig(inFile).mongo.uri, wanted);
    const { tls, tlsCAFile } = new MongoClient(wanted).options;
    assert.equal([tls, tlsCAFile], [true, MONGO_TLS_CA_FILE]);
  }
});

test('a URI that contradicts the certificate is refused', () => {
  const MONGO_TLS_CA_FILE = fileWith('-----BEGIN CERTIFICATE-----');
  for (const [options, error] of [
    ['tls=false', 'turns TLS on, but MONGODB_URI has tls=false'],
    ['SSL=false', 'turns TLS on, but MONGODB_URI has ssl=false'],
    ['tls=true&tlsCaFile=%2Fs3cret', 'MONGODB_URI has tlsCAFile already: set one of the two'],
    ['tlsCAFile=', 'MONGODB_URI has tlsCAFile already: set one of the two'],
    ['tlsInsecure=true', 'protects nothing, as MONGODB_URI has tlsInsecure=true'],
  ]) {
    const message = errorOf({ MONGODB_URI: `mongodb://db/?${options}`, MONGO_TLS_CA_FILE });
    assert.is(message, `The configuration can't be used:\n  MONGO_TLS_CA_FILE: ${error}`);
  }
});

test('newlines at the end are not part of a secret, everything else is', () => {
  const file = join(directory, 'password');
  const passwordOf = (env: Record<string, string>) =>
    parseConfig({ MONGO_HOST: 'db', MONGO_USERNAME: 'app\n', ...env }).mongo.auth;
  for (const password of hostile) {
    const auth = { username: 'app', password };
    writeFileSync(file, `${password}\n\n`);
    assert.equal(passwordOf({ MONGO_PASSWORD_FILE: file }), auth);
    assert.equal(passwordOf({ MONGO_PASSWORD: `${password}\n\n` }), auth);
  }
  assert.is(parseConfig({ MONGODB_URI: `${uri}\n` }).mongo.uri, uri);
  assert.match(
    errorOf({ MONGO_HOST: 'db', MONGO_USERNAME: 'app', MONGO_PASSWORD: '\n' }),
    'MONGO_PASSWORD: set this',
  );
});

test('URI options that would change results are rejected by name, others removed', () => {
  assert.match(
    errorOf({ MONGODB_URI: `${uri}&raw=true&loadBalanced=true` }),
    /MONGODB_URI: the option raw can't.*\n.*MONGODB_URI: the option loadBalanced can't/,
  );
  assert.is(parseConfig({ MONGODB_URI: `${uri}&directConnection=true&w=1` }).mongo.uri, uri);
});

test('one error names every invalid variable, and no value', () => {
  const message = errorOf({
    PORT: '80x',
    LOG_LEVEL: 'loud',
    LOG_REQUESTS: 'some',
    BODY_LIMIT_BYTES: '3000000',
    MEMORY_BUDGET_BYTES: '16777215',
    TRANSFER_TIMEOUT_MS: '99',
    MAX_CONNECTIONS: '0',
    MONGO_POOL_SIZE: '0',
    MONGO_TIMEOUT_MS: '-1',
    MONGO_HOST: 'db/x',
    MONGO_PASSWORD: 's3cret',
    MONGO_DATABASE: 'a.b',
  });
  const named = message
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(':')[0]);
  assert.equal(named, [
    'PORT',
    'LOG_LEVEL',
    'LOG_REQUESTS',
    'BODY_LIMIT_BYTES',
    'MEMORY_BUDGET_BYTES',
    'TRANSFER_TIMEOUT_MS',
    'MAX_CONNECTIONS',
    'MONGO_POOL_SIZE',
    'MONGO_TIMEOUT_MS',
    'MONGO_HOST',
    'MONGO_DATABASE',
    'MONGO_USERNAME',
  ]);
  for (const value of ['80x', 'loud', '3000000', 'db/x', 's3cret'])
    assert.not.match(message, value);
});

test('contradictory settings are rejected', () => {
  assert.match(errorOf({}), 'MONGODB_URI: set this or MONGO_HOST');
  assert.match(
    errorOf({ MONGODB_URI: uri, MONGO_HOST: 'db' }),
    "MONGO_HOST: can't be used together with MONGODB_URI; unset one of them",
  );
  const twice = { MONGODB_URI: uri, MONGODB_URI_FILE: join(directory, 'missing') };
  assert.match(errorOf(twice), 'MONGODB_URI_FILE: set this or MONGODB_URI, not both');
  assert.match(errorOf({ MONGODB_URI: 'http://db' }), 'MONGODB_URI: must look like');
  assert.match(errorOf({ MONGO_HOST: 'db', MONGO_USERNAME: 'app' }), 'MONGO_PASSWORD: set this');
  assert.match(
    errorOf({
      MONGO_HOST: 'db',
      MONGO_USERNAME: 'a',
      MONGO_PASSWORD: 'b',
      MONGO_PASSWORD_FILE: 'c',
    }),
    'MONGO_PASSWORD_FILE: set this or MONGO_PASSWORD, not both',
  );
});

test.run();
