import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { loadYaml } from '@kubernetes/client-node';
import * as assert from 'uvu/assert';
import { killProcesses, post, startProcess, until } from '../../functions/testing/testing';
import { onPath } from '../../tools/programs/program-cache';
import { machine } from '../../tools/programs/stand-ins';
import { suiteThatNeeds } from '../../tools/uvu';

// The certificate that the script makes, on a proxy in front of the tests' database. What mongod does with
// its options is not tested here: the database may be FerretDB.

const openssl = onPath('openssl');
const test = suiteThatNeeds(openssl ? undefined : 'openssl', 'TLS to MongoDB', true);

const folder = mkdtempSync(join(tmpdir(), 'tls-test-'));
process.once('exit', () => rmSync(folder, { recursive: true }));

test.after.each(killProcesses);

/** Runs mongo/tls/certificate.sh. @param found what the cluster has already */
function makeSecret(found = '') {
  const { run, read, calls, remove } = machine({
    kubectl: [
      {
        'config current-context': 'echo kind',
        'version *': '',
        '--namespace shop get secret mongo-tls --ignore-not-found *': `printf '${found}'`,
        '--namespace shop create --filename -': 'cat >"$HERE/secret.yaml"',
      },
    ],
    openssl: [{ '*': `exec ${openssl} "$@"` }],
  });
  try {
    const { code, stderr } = run(join(__dirname, 'certificate.sh'), [], { NAMESPACE: 'shop' });
    assert.is(code, 0, stderr);
    const text = read('secret.yaml');
    const data = text ? loadYaml<{ stringData: Record<string, string> }>(text).stringData : {};
    return { data, calls: calls().join('\n') };
  } finally {
    remove();
  }
}

/** Makes a key and a certificate. @returns the path of the certificate, and both */
function makeCertificate(name: string) {
  const { 'ca.crt': ca = '', 'tls-combined.pem': combined = '' } = makeSecret().data;
  const path = join(folder, name);
  writeFileSync(path, ca);
  return { path, ca, combined };
}

/** A server that speaks TLS with the key and the certificate, in front of the tests' database. */
async function startTls(pem: string) {
  const { hostname, port } = new URL(`${process.env.MONGODB_URI}`);
  const server = createServer({ key: pem, cert: pem }, (client) => {
    const database = connect(Number(port || 27017), hostname);
    client.on('error', () => database.destroy()).on('close', () => database.destroy());
    database.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(database).pipe(client);
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** What the service is told where the component is deployed. */
function environment(port: number, caFile: string, host = '127.0.0.1'): Record<string, string> {
  const { username, password } = new URL(`${process.env.MONGODB_URI}`);
  return {
    MONGODB_URI: '',
    MONGO_HOST: host,
    MONGO_PORT: String(port),
    MONGO_USERNAME: decodeURIComponent(username),
    MONGO_PASSWORD: decodeURIComponent(password),
    MONGO_TLS_CA_FILE: caFile,
  };
}

test('the certificate is for all names of MongoDB, with its key, and made once', () => {
  const { data, calls } = makeSecret();
  const certificate = new X509Certificate(data['ca.crt'] ?? '');
  for (const name of ['mongo-service', 'mongo-0.mongo', 'mongo-0.mongo.shop.svc.cluster.local']) {
    assert.ok(certificate.checkHost(name), name);
  }
  assert.ok(certificate.checkIP('127.0.0.1'));
  assert.not(certificate.checkHost('mongo-service.other'));
  assert.ok(certificate.verify(certificate.publicKey));
  const combined = data['tls-combined.pem'] ?? '';
  assert.ok(certificate.checkPrivateKey(createPrivateKey(combined)));
  assert.ok(combined.endsWith(data['ca.crt'] ?? ''));
  for (const line of combined.split('\n').filter((line) => /^[\w+/=]{40}/.test(line))) {
    assert.not.match(calls, line);
  }
  assert.equal(makeSecret('secret/mongo-tls').data, {});
});

test('the service stores documents by TLS', async () => {
  const { path, combined } = makeCertificate('own.crt');
  const tls = await startTls(combined);
  const uri = new URL(`${process.env.MONGODB_URI}`);
  uri.host = `127.0.0.1:${tls.port}`;
  try {
    for (const env of [
      environment(tls.port, path),
      { MONGODB_URI: uri.href, MONGO_TLS_CA_FILE: path },
    ]) {
      const { url } = await startProcess(env);
      assert.is((await post(`${url}/data`, { by: 'TLS' })).status, 201);
    }
  } finally {
    await killProcesses();
    tls.close();
  }
});

for (const [what, host, trustsIt, reason] of [
  ['another certificate', '127.0.0.1', false, /self-signed certificate/],
  ['the certificate of another host', 'localhost', true, /does not match certificate's altnames/],
] as const) {
  test(`the service does not talk to a server with ${what}`, async () => {
    const { combined, path } = makeCertificate('one.crt');
    const trusted = trustsIt ? path : makeCertificate('other.crt').path;
    const tls = await startTls(combined);
    try {
      const { lines } = await startProcess(environment(tls.port, trusted, host));
      await until(async () => lines.some(({ msg }) => msg === 'MongoDB is unreachable'));
      const { reason: found } = lines.find(({ msg }) => msg === 'MongoDB is unreachable') ?? {};
      assert.match(String(found), reason);
    } finally {
      await killProcesses();
      tls.close();
    }
  });
}

test.run();
