import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { byHand } from '../deploy/by-hand';
import { callersNeedToken } from './authentication';
import { execInPod, handmade, kubectl, namespace, provideImage, run } from './commands';
import {
  acknowledgedWritesSurvive,
  allAcknowledged,
  documentSurvives,
  summarize,
} from './durability';
import { withoutFailedRequests } from './load';
import { backupIsRestored, onMongoDB, unusualNamesAreStored } from './mongodb-only';
import { connectAsApp, mongosh, mongoshAsRoot, startProbePod, uriOptions } from './mongosh';
import { createNamespace, markNamespace } from './namespaces';
import {
  deletePod,
  drainNode,
  evictAll,
  evictPod,
  exhaustMemory,
  podsOf,
  restartMongo,
  waitUntilReady,
} from './pods';
import { prometheusAgreesWithK6 } from './prometheus';
import { scalesUpAndDown } from './scaling';
import { runSteps, step } from './steps';
import { strangerIsKeptOut } from './stranger';
import { addressesIn, findVariants, sendRequest, type Variant, variants } from './variants';

// `npm run e2e`: the whole system on the cluster of the current context, in a namespace of its own. IMAGE
// is an image that is already pushed; without it, one is built and pushed.

step('deployed, with the Pod Security Standard restricted enforced', async () => {
  await createNamespace();
  await kubectl(
    ...['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'],
  );
  await provideImage();
  await run('knative/deploy/deploy.sh');
  await findVariants();
  await startProbePod('probe', { 'mongo-client': 'true' });
  await startProbePod('stranger', {});
  const [knative, hpa] = variants as [Variant, Variant];
  return `${knative.url} for ${knative.host}, and ${hpa.url}`;
});

step('deployed again: nothing changes', async () => {
  const generations = () =>
    kubectl(
      ...['get', 'ksvc,deployments,statefulsets', '-o'],
      'jsonpath={range .items[*]}{.metadata.name} {.metadata.generation}, {end}',
    );
  const before = await generations();
  await run('knative/deploy/deploy.sh');
  assert.is(await generations(), before);
  return 'unchanged';
});

step('each variant responds, and reads what the other one wrote', async () => {
  for (const variant of variants) {
    assert.match((await sendRequest(variant, '/time')).time, /Z$/);
    const { id } = await sendRequest(variant, '/data', { by: variant.name });
    for (const other of variants) {
      assert.equal((await sendRequest(other, `/data/${id}`)).data, { by: variant.name });
    }
  }
  return 'yes';
});

step("the cluster's DNS resolves both names of MongoDB", async () => {
  const names = ['mongo-service', 'mongo-0.mongo'].map(
    (name) => `${name}.${namespace}.svc.cluster.local`,
  );
  const addresses = await Promise.all(
    names.map((name) =>
      execInPod('probe', 'getent', 'hosts', name).then((line) => line.split(/\s+/)[0]),
    ),
  );
  return addresses.join(', ');
});

step('MongoDB refuses a wrong password', async () => {
  const refused = await mongosh(
    `connect('mongodb://app:wrong@mongo-service/admin${uriOptions}').hello()`,
  ).then(
    () => 'accepted',
    (error: Error) => error.message,
  );
  assert.match(refused, /Authentication failed/i);
  return 'Authentication failed';
});

step("the application's user can read no other database", async () => {
  await mongosh(`${connectAsApp} db.documents.findOne()`);
  return onMongoDB(async () => {
    const query = mongosh(`${connectAsApp} db.getSiblingDB('other').documents.findOne()`);
    assert.match(await query.then(() => 'allowed', String), /not authorized/);
    return 'not authorized';
  });
});

step('names with $ and dots are stored', () => onMongoDB(unusualNamesAreStored));

step('a backup is restored', () => onMongoDB(backupIsRestored));

step("deploying again recreates the application's user", async () => {
  await mongoshAsRoot("admin.dropUser(readFileSync('/run/secrets/app/username', 'utf8'))");
  const refused = await mongosh(connectAsApp).catch(String);
  assert.match(refused, /Authentication failed/i);
  const output = await run('knative/deploy/deploy.sh');
  assert.match(output, 'made the user app, who was missing');
  await mongosh(connectAsApp);
  for (const variant of variants) await sendRequest(variant, '/data', { by: variant.name });
  return 'both variants store documents';
});

step('a stranger pod reaches only what it may', strangerIsKeptOut);

step('no request fails while the pod mongo-0 is deleted five times', async () => {
  let requests = '';
  const document = await documentSurvives(async () => {
    requests = await withoutFailedRequests({ RATE: '30', VUS: '300' }, async () => {
      for (let i = 0; i < 5; i++) await restartMongo();
    });
  });
  return `${requests}; ${document}`;
});

step('a document survives the deletion of the StatefulSet', async () => {
  return documentSurvives(async () => {
    await kubectl('delete', 'statefulset', 'mongo');
    await kubectl('wait', '--for', 'delete', 'pod/mongo-0', '--timeout', '120s');
    await run('knative/deploy/deploy.sh');
  });
});

step('every post is acknowledged while replicas and mongo-0 are deleted or evicted', async () => {
  const verdict = await acknowledgedWritesSurvive(async () => {
    const oldPods: string[] = [];
    for (const endPod of [deletePod, evictPod]) {
      const pods = await Promise.all(variants.map(async (variant) => (await podsOf(variant))[0]));
      await Promise.all(pods.map((pod) => endPod(pod as string)));
      oldPods.push(...(pods as string[]));
      for (const variant of variants) await waitUntilReady(variant);
    }
    await restartMongo();
    await kubectl('wait', '--for', 'delete', ...oldPods, '--timeout', '180s');
  });
  return allAcknowledged(verdict);
});

step('no request fails while all replicas are evicted in turn, and a node is drained', async () => {
  return withoutFailedRequests({ RATE: '20' }, async () => {
    for (const variant of variants) {
      await evictAll(variant);
      await drainNode(variant);
    }
  });
});

step('acknowledged documents survive when replicas and mongo-0 are OOM-killed', async () => {
  const { outcomes, ...verdict } = await acknowledgedWritesSurvive(async (ledger) => {
    await exhaustMemory('pod/mongo-0', 'mongo');
    await kubectl('wait', '--for', 'condition=Ready', 'pod/mongo-0', '--timeout', '120s');
    for (const variant of variants) {
      const [pod] = await podsOf(variant);
      // behind an ingress clients get a 502; without one, their connections break
      if (!variant.host) ledger.expectErrors(variant);
      await exhaustMemory(pod as string, 'functions');
      await waitUntilReady(variant);
    }
  });
  const others = outcomes.filter(({ outcome }) => outcome !== '201');
  const failures = others.map(({ outcome, posts }) => `${posts} × ${outcome}`).join(', ');
  return `${summarize(verdict)}; posts not acknowledged: ${failures || 'none'}`;
});

step('the HPA scales from 2 to 5 replicas and back', async () => {
  const [, hpa] = variants as [Variant, Variant];
  const usage = () =>
    kubectl(
      'get',
      'hpa',
      'functions-hpa',
      '-o',
      `jsonpath={.status.currentMetrics[0].resource.current.averageUtilization}`,
    );
  let maxUsage = 0;
  // a mix that is bound by CPU
  const result = await scalesUpAndDown(hpa, { CLIENTS: '100', MIX: '20:1:0' }, async () => {
    maxUsage = Math.max(maxUsage, Number(await usage()));
  });
  assert.ok(maxUsage > 70, `CPU usage was at most ${maxUsage} %`);
  return `${result}; CPU usage up to ${maxUsage} % of the request`;
});

step('the Knative Service scales from 2 to 5 replicas and back', async () => {
  const [knative] = variants as [Variant, Variant];
  // a mix that is bound by the database
  const result = await scalesUpAndDown(knative, { CLIENTS: '200', MIX: '0:1:0' });
  const description = await run('kn', 'service', 'describe', 'functions', '-v', '-n', namespace);
  const scale = /Scale: +(.*)/.exec(description)?.[1];
  assert.is(scale, '2 ... 5');
  return `${result}; kn says Scale: ${scale}`;
});

step('Prometheus counts the requests that k6 sends', prometheusAgreesWithK6);

step('no request fails during rollouts and a rotation of the password', async () => {
  return withoutFailedRequests({ RATE: '20' }, async () => {
    await sleep(3000);
    await run('bash', '-c', '. knative/deploy/lib.sh; roll_out knative; roll_out hpa');
    await run('mongo/rotate.sh');
    await sleep(3000);
  });
});

step('callers need a token where it is configured', callersNeedToken);

step('undeployed: the data and its Secrets are kept', async () => {
  await run('knative/deploy/undeploy.sh');
  const left = await kubectl('get', 'persistentvolumeclaim,secret', '-o', 'name');
  for (const name of ['claim/data-mongo-0', 'secret/mongo-root', 'secret/mongo-app']) {
    assert.match(left, name);
  }
  await kubectl(
    'wait',
    '--for',
    'delete',
    'pod',
    '-l',
    'app.kubernetes.io/name=mongo',
    '--timeout',
    '120s',
  );
  return 'yes';
});

step('deployed by hand, as docs/deploy.md says', async () => {
  const { deployment, knative } = byHand();
  await run(
    ...(['env', '-u', 'NODEPORT_URL', `NAMESPACE=${handmade}`] as const),
    ...['bash', '-euo', 'pipefail', '-c', deployment + knative],
  );
  await markNamespace(handmade);
  const [ingress, host, nodeport] = await addressesIn(handmade);
  const [first, second] = variants as [Variant, Variant];
  const { id } = await sendRequest({ ...first, url: ingress, host }, '/data', { by: 'hand' });
  const read = await sendRequest({ ...second, url: nodeport }, `/data/${id}`);
  assert.equal(read.data, { by: 'hand' });
  return 'the Deployment reads what the Knative Service wrote';
});

runSteps();
