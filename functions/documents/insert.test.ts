import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stored } from '../mongo/client';
import { type Command, type FakeMongod, type Reply, startFakeMongod } from '../testing/fake-mongod';
import { type Host, post, send, startService, until } from '../testing/testing';

interface Context {
  fake: FakeMongod;
  /** Its requests time out after 0.5 s. */
  service: Host;
  /** Its requests time out after 10 s. */
  patient: Host;
}

const test = suite<Context>('errors from MongoDB');
test.before(async (context) => {
  context.fake = await startFakeMongod();
  const { uri } = context.fake;
  context.service = await startService({ uri, timeoutMs: 500 });
  context.patient = await startService({ uri, timeoutMs: 10_000 });
});
test.before.each(async ({ fake, service }) => {
  fake.handle = (_, proceed) => proceed();
  await until(async () => (await post(`${service.url}/data`, {})).status === 201);
  fake.commands.length = 0;
  fake.documents.clear();
});
test.after(async ({ fake, service, patient }) => {
  await service.close();
  await patient.close();
  fake.close();
});

const failure = (code: number, errorLabels: string[] = []): Reply => ({
  ok: 0,
  code,
  errmsg: `error ${code}`,
  errorLabels,
});

/** Replies of real servers that neither refuse a document nor are known as an outage. */
type Fault = (proceed: () => Reply, command: InsertCommand) => Reply;

const faults: [what: string, fault: Fault][] = [
  ...[1, 13, 43, 79, 100, 112, 133, 237, 317, 384, 462, 11_601, 14_031].map(
    (code): (typeof faults)[number] => [`error ${code}`, () => failure(code)],
  ),
  ...['RetryableWriteError', 'SystemOverloadedError', 'NoWritesPerformed'].map(
    (label): (typeof faults)[number] => [label, () => failure(8, [label])],
  ),
  [
    'an error of one document',
    (_, { documents }) => ({
      ok: 1,
      n: 0,
      writeErrors: documents.map((_, index) => ({
        index,
        code: 1,
        errmsg: 'database is locked',
      })),
    }),
  ],
  [
    'an error although the document was stored',
    (proceed) => {
      proceed();
      return failure(91);
    },
  ],
  [
    'a write concern error',
    (proceed) => ({ ...proceed(), writeConcernError: { code: 64, errmsg: 'timed out' } }),
  ],
];

for (const [what, fault] of faults) {
  test(`${what}: the insert is repeated under its id until it succeeds`, async (context) => {
    const { fake, patient } = context;
    let remaining = 2;
    fake.handle = (command, proceed) =>
      command.insert && remaining-- > 0 ? fault(proceed, command as InsertCommand) : proceed();
    const { status, json } = await post(`${patient.url}/data`, { what });
    assert.is(status, 201);
    assert.equal([...fake.documents.keys()], [json.id]);
    assert.equal(
      inserts(fake).map(({ documents: [stored] }) => stored?._id),
      [json.id, json.id, json.id],
    );
  });
}

test('errors until the deadline: 503 with the id, and whether the document may be stored', async () => {
  await Promise.all(
    faults.map(async ([what, fault]) => {
      const bare = await exhaust(fault);
      const keyed = await exhaust(fault, { 'Idempotency-Key': `"${what}"` });
      for (const { sent, status, json } of [bare, keyed]) {
        assert.is(status, 503, what);
        assert.is(json.type, 'urn:problem-type:database-unavailable', what);
        assert.ok(sent.length > 1, what);
        assert.ok(
          sent.every(({ documents: [stored] }) => stored?._id === json.id),
          what,
        );
        const isNextShorter = (command: InsertCommand, n: number) =>
          command.maxTimeMS < (sent[n - 1]?.maxTimeMS ?? 1001);
        assert.ok(sent.every(isNextShorter), what);
      }
      assert.is(keyed.headers.get('retry-after'), '1', what);
      if (what === 'NoWritesPerformed') {
        // unless the deadline passes between the last attempt and its reply
        await until(async () => {
          const { json, headers } = await exhaust(fault);
          return /^Nothing was stored\./.test(json.detail) && headers.get('retry-after') === '1';
        });
      } else {
        assert.match(bare.json.detail, /may be stored/, what);
        assert.is(bare.headers.get('retry-after'), null, what);
        assert.match(keyed.json.detail, /may be stored.* same Idempotency-Key/, what);
      }
    }),
  );
});

/** Posts to a service whose MongoDB replies to every insert with a fault, until it gives up. */
async function exhaust(fault: Fault, headers?: Record<string, string>) {
  const fake = await startFakeMongod();
  const service = await startService({ uri: fake.uri, timeoutMs: 1000 });
  try {
    await until(async () => (await send(`${service.url}/data`)).status === 200);
    fake.handle = (command, proceed) =>
      command.insert ? fault(proceed, command as InsertCommand) : proceed();
    const response = await post(`${service.url}/data`, {}, headers);
    const sent = inserts(fake);
    fake.handle = (_, proceed) => proceed();
    assert.is((await send(`${service.url}/data`)).status, 200);
    assert.is(inserts(fake).length, sent.length, 'nothing is sent after the response');
    return { sent, ...response };
  } finally {
    await service.close();
    fake.close();
  }
}

test('reads are repeated too, and end with a 503', async ({ fake, service, patient }) => {
  for (const code of [1, 13, 43, 91, 100, 133, 237, 462, 14_031]) {
    let remaining = 1;
    fake.handle = (command, proceed) =>
      command.find && remaining-- > 0 ? failure(code) : proceed();
    assert.is((await send(`${patient.url}/data`)).status, 200, `a list after error ${code}`);
    remaining = 1;
    const { status } = await send(`${patient.url}/data/01939f8e-7c11-7abc-8def-0123456789ab`);
    assert.is(status, 404, `a document after error ${code}`);
  }
  fake.handle = () => failure(43);
  const { status, json, headers } = await send(`${service.url}/data`);
  assert.is(status, 503);
  assert.is(json.type, 'urn:problem-type:database-unavailable');
  assert.is(headers.get('retry-after'), '1');
});

const refusals = [2, 15, 22, 52, 56, 57, 121, 10_334];

for (const code of refusals) {
  test(`error ${code} refuses only its document`, async ({ fake, patient }) => {
    const isBad = ({ data }: Stored) => 'bad' in data;
    // like a server that can't parse the command, and then like one that reports on each document
    fake.handle = (command, proceed) =>
      documentsOf(command).some(isBad) ? failure(code) : proceed();
    await checkNeighbours();
    fake.handle = (command, proceed) => {
      const documents = documentsOf(command);
      const index = documents.findIndex(isBad);
      if (index < 0) return proceed();
      const { n } = proceed();
      fake.documents.delete(String(documents[index]?._id));
      const writeErrors = [{ index, code, errmsg: `error ${code} at 'bad'` }];
      return { ok: 1, n: Number(n) - 1, writeErrors };
    };
    const refused = await checkNeighbours();
    assert.equal(refused?.json.issues[0].path, ['bad']);

    async function checkNeighbours() {
      fake.documents.clear();
      const all = [1, 2, 3, 4].map((n) =>
        post(`${patient.url}/data`, n === 3 ? { bad: n } : { n }),
      );
      const responses = await Promise.all(all);
      assert.equal(
        responses.map(({ status }) => status),
        [201, 201, 422, 201],
      );
      assert.is(fake.documents.size, 3);
      return responses[2];
    }
  });
}

test('no error code of a server leads to a 500', async ({ fake, patient }) => {
  const codes = Array.from({ length: 20_000 }, (_, n) => n + 1).filter(
    (code) => code <= 500 || code % 97 === 0 || refusals.includes(code) || code === 11_000,
  );
  const failedOnce = new Set<unknown>();
  fake.handle = (command, proceed) => {
    const writeErrors = documentsOf(command).flatMap(({ data }, index) => {
      const { code } = data as { code: number };
      if (failedOnce.has(code)) return [];
      failedOnce.add(code);
      return [{ index, code, errmsg: `error ${code}` }];
    });
    if (writeErrors.length === 0) return proceed();
    const failed = new Set(writeErrors.map(({ index }) => index));
    const accepted = documentsOf(command).filter((_, index) => !failed.has(index));
    for (const stored of accepted) fake.documents.set(stored._id, stored);
    return { ok: 1, n: accepted.length, writeErrors };
  };
  const statuses = await Promise.all(
    codes.map(async (code) => (await post(`${patient.url}/data`, { code })).status),
  );
  assert.equal(
    statuses,
    codes.map((code) => (refusals.includes(code) ? 422 : 201)),
  );
  assert.is(fake.documents.size, codes.length - refusals.length);
});

test('a malformed reply is an error like any other', async ({ fake, service }) => {
  for (const reply of [{ ok: 1 }, { ok: 1, n: 0 }, { ok: 1, n: 2 }, { ok: 1, n: 'x' }, {}]) {
    fake.handle = (command, proceed) => (command.insert ? reply : proceed());
    const { status, json } = await post(`${service.url}/data`, {});
    assert.is(status, 503, JSON.stringify(reply));
    assert.match(json.detail, /may be stored/);
  }
});

test.run();

interface InsertCommand extends Command {
  documents: Stored[];
  maxTimeMS: number;
}

function inserts({ commands }: FakeMongod): InsertCommand[] {
  return commands.filter(({ insert }) => insert) as InsertCommand[];
}

function documentsOf(command: Command): Stored[] {
  return command.insert ? (command as InsertCommand).documents : [];
}
