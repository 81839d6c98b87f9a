import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type OidcIssuer, startOidcIssuer } from '../testing/oidc-issuer';
import {
  type Host,
  killProcesses,
  send,
  startOwnHost,
  startProcess,
  until,
} from '../testing/testing';
import { createApiKey } from './api-keys';

const test = suite('tokens of an OIDC issuer');

let issuer: OidcIssuer;
/** What the current test has started. */
let hosts: Host[] = [];

test.before(async () => {
  issuer = await startOidcIssuer();
});

test.after.each(async () => {
  issuer.resume();
  for (const host of hosts) await host.close();
  hosts = [];
  await killProcesses();
});

test.after(() => issuer.close());

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

async function startHost(): Promise<Host> {
  const tokens = { issuer: issuer.url, audience: 'functions', jwks: {}, requireScope: false };
  const host = await startOwnHost({ auth: { tokens } });
  hosts.push(host);
  return host;
}

test('a token of the issuer is accepted, with the scopes that it was given', async () => {
  const { url } = await startHost();
  const limited = await issuer.token('time:read');
  assert.is((await send(`${url}/time`, bearer(limited))).status, 200);
  const refused = await send(`${url}/data`, bearer(limited));
  assert.is(refused.status, 403);
  assert.is(
    refused.headers.get('www-authenticate'),
    'Bearer realm="functions", error="insufficient_scope", scope="data:read"',
  );
  const unlimited = await issuer.token();
  assert.is((await send(`${url}/data?limit=1`, bearer(unlimited))).status, 200);
});

test('no request is refused while the keys are rotated under load', async () => {
  const { url } = await startHost();
  const statuses: Record<string, number> = {};
  let isRunning = true;
  async function call(token: string): Promise<void> {
    const { status, text } = await send(`${url}/time`, bearer(token));
    const outcome = status === 200 ? '200' : text;
    statuses[outcome] = (statuses[outcome] ?? 0) + 1;
  }
  async function client(): Promise<void> {
    while (isRunning) {
      const token = await issuer.token();
      for (let i = 0; i < 4; i++) await call(token);
    }
  }
  const kept = await issuer.token();
  const clients = Array.from({ length: 16 }, client);
  try {
    for (let i = 0; i < 5; i++) {
      const before = issuer.keyRequests();
      issuer.rotate();
      await until(async () => issuer.keyRequests() > before);
      await call(kept);
    }
  } finally {
    isRunning = false;
    await Promise.all(clients);
  }
  assert.equal(Object.keys(statuses), ['200'], JSON.stringify(statuses));
});

test('a service starts without its issuer, and needs it only for keys that it does not know', async () => {
  const known = await issuer.token();
  issuer.pause();
  const { url } = await startHost();
  const unavailable = await send(`${url}/time`, bearer(known));
  assert.is(unavailable.status, 503);
  assert.is(unavailable.json.type, 'urn:problem-type:authentication-unavailable');
  assert.is((await send(url)).status, 200);

  issuer.resume();
  await until(async () => (await send(`${url}/time`, bearer(known))).status === 200);
  const unseen = await issuer.token();
  issuer.pause();
  assert.is((await send(`${url}/time`, bearer(unseen))).status, 200);

  issuer.resume();
  issuer.rotate();
  const rotated = await issuer.token();
  issuer.pause();
  assert.is((await send(`${url}/time`, bearer(rotated))).status, 503);
  issuer.resume();
  await until(async () => (await send(`${url}/time`, bearer(rotated))).status === 200);
});

test('tokens with unknown keys do not flood the issuer', async () => {
  const { url } = await startHost();
  const [, payload, signature] = (await issuer.token()).split('.');
  const startedAt = performance.now();
  const before = issuer.keyRequests();
  const requests = Array.from({ length: 200 }, async (_, i) => {
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: `unknown-${i}` }));
    const token = `${header.toString('base64url')}.${payload}.${signature}`;
    return (await send(`${url}/time`, bearer(token))).status;
  });
  assert.equal([...new Set(await Promise.all(requests))], [401]);
  const seconds = (performance.now() - startedAt) / 1000;
  const asked = issuer.keyRequests() - before;
  assert.ok(asked <= seconds + 2, `asked ${asked} times in ${seconds} s`);
});

test('the log says who called, and has no token; without settings it warns once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-log-test-'));
  const { key, line } = createApiKey('ci', ['time:read']);
  writeFileSync(join(folder, 'keys'), line);
  const open = await startProcess();
  assert.is((await send(`${open.url}/time`)).status, 200);
  const service = await startProcess({
    AUTH_ISSUER: issuer.url,
    AUTH_AUDIENCE: 'functions',
    AUTH_API_KEYS_FILE: join(folder, 'keys'),
  });
  rmSync(folder, { recursive: true });
  const token = await issuer.token();
  await send(`${service.url}/time`, bearer(token));
  await send(`${service.url}/time`, bearer(token));
  await send(`${service.url}/time`, bearer(key));
  await send(`${service.url}/data`, bearer(key));
  await send(`${service.url}/time?access_token=${token}`);
  for (const { child, exited } of [open, service]) {
    child.kill();
    assert.is(await exited, 0);
  }
  const warnings = ({ lines }: typeof open) =>
    lines.filter(({ msg }) => /may use it/.test(`${msg}`));
  assert.equal(
    warnings(open).map(({ level }) => level),
    ['warn'],
  );
  assert.equal(warnings(service), []);
  const requests = service.lines.filter(({ msg }) => msg === 'request');
  assert.equal(
    requests.map(({ status, caller }) => [status, caller]),
    [
      [200, 'sub:caller'],
      [200, 'sub:caller'],
      [200, 'key:ci'],
      [403, 'key:ci'],
      [401, undefined],
    ],
  );
  const text = JSON.stringify(service.lines);
  for (const secret of [token, key]) assert.not.match(text, secret.slice(-30));
});

test.run();
