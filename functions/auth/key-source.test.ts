import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { log } from '../runtime/log';
import { readSmallFile } from '../runtime/small-file';
import { killProcesses, startProcess, until } from '../testing/testing';
import { createApiKey, parseApiKeys } from './api-keys';
import { fetchJwks } from './jwks';
import { keySource } from './key-source';

const test = suite("keys that can't be loaded");

const folder = mkdtempSync(join(tmpdir(), 'key-source-test-'));
const file = join(folder, 'keys');
const { line } = createApiKey('ci', ['time:read']);
const broken = `${line}\nsecret-name sha256:secret`;

interface Line {
  reason: string;
  ageSeconds?: number;
  msg: string;
}

const { error } = log;
/** What the current test has logged. */
let errors: Line[] = [];
let end = () => {};

test.before.each(() => {
  errors = [];
  log.error = ((fields: Omit<Line, 'msg'>, msg: string) =>
    errors.push({ ...fields, msg })) as unknown as typeof log.error;
});

test.after.each(async () => {
  log.error = error;
  end();
  await killProcesses();
});

test.after(() => rmSync(folder, { recursive: true }));

/** Keeps the API keys in `file` up to date. @param logMs how often the same failure is logged */
function start(logMs: number) {
  let loads = 0;
  let isEnded = false;
  end = () => (isEnded = true);
  const keys = keySource(
    {
      source: 'api-keys',
      name: 'the API keys',
      load() {
        loads++;
        return isEnded ? new Promise(() => {}) : readSmallFile(file);
      },
      parse: parseApiKeys,
      count: (keys) => keys.size,
      maxAgeMs: 5,
      onChange() {},
    },
    { pauseMs: 5, logMs, waitMs: 10_000 },
  );
  return { current: keys.current, loads: () => loads };
}

test('the log says it again and again, with how old those are that stay valid', async () => {
  writeFileSync(file, line);
  const { current } = start(20);
  await until(async () => current() !== undefined);
  const valid = current();
  writeFileSync(file, broken);
  await until(async () => errors.length > 2);
  assert.is(current(), valid);
  for (const { reason, ageSeconds, msg } of errors) {
    assert.match(reason, /^line 2 is not NAME/);
    assert.type(ageSeconds, 'number');
    assert.is(msg, "the API keys can't be loaded: the old ones stay valid");
  }
  await until(async () => (errors.at(-1)?.ageSeconds as number) > 0);
  rmSync(file);
  await until(async () => errors.at(-1)?.reason === "the file can't be read (ENOENT)");
});

test('a reason that stays is not logged with each attempt, another one is', async () => {
  rmSync(file, { force: true });
  const { loads } = start(600_000);
  await until(async () => loads() > 20);
  assert.equal(errors, [
    { reason: "the file can't be read (ENOENT)", msg: "the API keys can't be loaded" },
  ]);
  writeFileSync(file, broken);
  await until(async () => errors.length === 2);
});

test('what is no JSON is not quoted in the log', async () => {
  writeFileSync(file, '{"keys":[]}');
  const service = await startProcess({
    AUTH_ISSUER: 'https://issuer.example',
    AUTH_AUDIENCE: 'functions',
    AUTH_JWKS_FILE: file,
  });
  const logged = (field: string, value: string) =>
    until(async () => service.lines.some((line) => line[field] === value));
  await logged('msg', "the issuer's keys are loaded, but there are none");
  writeFileSync(file, 's3cret');
  await logged('reason', 'the key set is not JSON');
  writeFileSync(file, '"s3cret"');
  await logged('reason', 'the key set is not {"keys":[…]}');
  service.child.kill();
  assert.is(await service.exited, 0);
  assert.not.match(JSON.stringify(service.lines), 's3cret');

  const server = createServer((_, res) => void res.end('s3cret')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reason = await fetchJwks(url, {}).catch(({ message }) => message);
  assert.is(reason, `${url}/.well-known/openid-configuration is not JSON`);
  server.close();
  server.closeAllConnections();
});

test('a request waits for keys only for a while, however long they take', async () => {
  let arrive = (_: string) => {};
  const { newerThan } = keySource(
    {
      source: 'issuer',
      name: "the issuer's keys",
      load: () => new Promise<string>((resolve) => (arrive = resolve)),
      parse: (text) => text,
      count: () => 1,
      maxAgeMs: 60_000,
      onChange() {},
    },
    { pauseMs: 5, logMs: 5, waitMs: 20 },
  );
  let answer: string | undefined = 'none yet';
  void newerThan(undefined).then((keys) => (answer = keys));
  await until(async () => answer === undefined);
  arrive('keys');
  await until(async () => (await newerThan(undefined)) === 'keys');
});

test.run();
