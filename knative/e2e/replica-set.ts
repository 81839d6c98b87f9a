import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { env, kubectl, namespace, provideImage, run } from './commands';
import { runDocumented } from './documented';
import { allAcknowledged, firstWritesSurvive } from './durability';
import { createNamespace } from './namespaces';
import { exhaustMemory } from './pods';
import { retry } from './retry';
import { runSteps, step } from './steps';
import { findVariants, sendRequest, type Variant, variants } from './variants';

// `npm run e2e:replica-set`: what docs/replica-set.md says, on the cluster of the current context, in a
// namespace of its own. IMAGE is as for `npm run e2e`.

/** Makes the namespace that of kubectl's context, in a configuration of its own. */
async function useNamespace(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const config = join(folder, 'config');
  const view = await run('kubectl', 'config', 'view', '--raw', '--minify', '--flatten');
  writeFileSync(config, view, { mode: 0o600 });
  env.KUBECONFIG = config;
  await run('kubectl', 'config', 'set-context', '--current', '--namespace', namespace);
}

/** @returns the name of the primary's pod */
async function findPrimary(): Promise<string> {
  const uri =
    'mongodb://localhost/?directConnection=true&tls=true&tlsCAFile=/etc/mongodb-ssl/ca.crt';
  const command = ['mongosh', '--quiet', '--norc', uri, '--eval', 'print(db.hello().primary)'];
  const output = await retry(async () => {
    const output = await kubectl('exec', 'mongo-rs-rs0-0', '-c', 'mongod', '--', ...command);
    assert.match(output, /^mongo-rs-rs0-\d\./m);
    return output;
  });
  return /^mongo-rs-rs0-\d(?=\.)/m.exec(output)?.[0] as string;
}

/** Waits until a member is ready, and so all three are. */
function waitForMember(pod: string): Promise<string> {
  return retry(() =>
    kubectl('wait', '--for', 'condition=Ready', `pod/${pod}`, '--timeout', '180s'),
  );
}

step(
  'deployed with a replica set, with the Pod Security Standard restricted enforced',
  async () => {
    await createNamespace();
    await useNamespace();
    await runDocumented('replica-set.md', 'Install the operator');
    // not for the operator's own pod, which runs already
    await kubectl(
      ...['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'],
    );
    await provideImage();
    await runDocumented('replica-set.md', 'Start with a replica set');
    await findVariants();
    return `the primary is ${await findPrimary()}`;
  },
);

step(
  'every post is acknowledged while the primary is deleted, and while it is killed',
  async () => {
    const verdict = await firstWritesSurvive(async () => {
      const first = await findPrimary();
      await kubectl('delete', 'pod', first);
      await waitForMember(first);
      const second = await findPrimary();
      assert.is.not(second, first);
      await exhaustMemory(`pod/${second}`, 'mongod');
      await waitForMember(second);
    });
    return allAcknowledged(verdict);
  },
);

step('MongoDB refuses connections without TLS', async () => {
  const command = ['mongosh', '--quiet', '--norc', 'mongodb://localhost/', '--eval', 'db.hello()'];
  const refused = await kubectl('exec', 'mongo-rs-rs0-0', '-c', 'mongod', '--', ...command).then(
    () => 'accepted',
    () => 'refused',
  );
  assert.is(refused, 'refused');
  return refused;
});

step('the data is moved to a single server', async () => {
  const [knative] = variants as [Variant];
  const { id } = await sendRequest(knative, '/data', { test: 'moved back' });
  await runDocumented('replica-set.md', 'Move the data back');
  const uris = await kubectl(
    'get',
    'deployment',
    'functions-hpa',
    '-o',
    'jsonpath={..env[*].name}',
  );
  assert.not.match(uris, 'MONGODB_URI');
  for (const variant of variants) {
    assert.equal((await sendRequest(variant, `/data/${id}`)).data, { test: 'moved back' });
  }
  return `${id} is there`;
});

step('the data is moved to the replica set', async () => {
  const [knative] = variants as [Variant];
  const { id } = await sendRequest(knative, '/data', { test: 'moved there' });
  await runDocumented('replica-set.md', 'Move the data to the replica set');
  await kubectl('wait', '--for', 'delete', 'pod/mongo-0', '--timeout', '120s');
  for (const variant of variants) {
    assert.equal((await sendRequest(variant, `/data/${id}`)).data, { test: 'moved there' });
  }
  return `${id} is there`;
});

step('undeployed: the data and its Secrets are kept', async () => {
  await run('knative/deploy/undeploy.sh');
  const left = await kubectl('get', 'persistentvolumeclaim,secret', '-o', 'name');
  for (const name of [
    ...[0, 1, 2].map((n) => `claim/mongod-data-mongo-rs-rs0-${n}`),
    'secret/mongo-rs-secrets',
    'secret/mongo-rs-mongodb-encryption-key',
  ]) {
    assert.match(left, name);
  }
  return 'yes';
});

runSteps();
