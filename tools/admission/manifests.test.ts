import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { dumpYaml } from '@kubernetes/client-node';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../functions/config';
import { byHand } from '../../knative/deploy/by-hand';
import { machine } from '../programs/stand-ins';
import { suiteThatNeeds } from '../uvu';
import { admit, type Document, missingForAdmission } from './admission';

const test = suiteThatNeeds(missingForAdmission(), 'manifests');

const root = realpathSync(join(__dirname, '../..'));
const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'manifests-test-')));
process.once('exit', () => rmSync(temporary, { recursive: true }));

const files = ['mongo', 'knative'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => /\.(yaml|sh|js)$/.test(name)),
);
const read = (name: string) => readFileSync(join(root, name), 'utf8');

const folders = files
  .filter((name) => name.endsWith('/kustomization.yaml'))
  .map((name) => dirname(name));
const isComponent = (folder: string) =>
  read(`${folder}/kustomization.yaml`).includes('\nkind: Component\n');
const components = folders.filter(isComponent);
/** What a component is for: the folder that it lies in, or both variants. */
const basesOf = (component: string) =>
  dirname(component) === 'knative' ? ['knative/service', 'knative/hpa'] : [dirname(component)];

/** Makes a kustomization of folders of this repository. */
function overlay(resources: string[], components: string[] = [], more = {}): string {
  const folder = mkdtempSync(join(temporary, 'overlay-'));
  const here = (name: string) => relative(folder, join(root, name));
  const content = { resources: resources.map(here), components: components.map(here), ...more };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(content));
  return folder;
}

const all = ['mongo', 'knative/service', 'knative/hpa'];
// as knative/deploy/deploy.sh does
const deployment = {
  namespace: 'shop',
  images: [{ name: 'functions-on-knative', newName: 'registry.example/functions', newTag: 'v1' }],
};
const deployed = 'all, deployed';
const deployedWithComponents = 'all, deployed with components';
const withReplicaSet = 'all, deployed with a replica set';
const replicaSetWithComponents = 'all, deployed with a replica set and components';
const allWithReplicaSet = ['mongo/replica-set', 'knative/service', 'knative/hpa'];
/** The components that go with one of the databases only. */
const ofReplicaSet = ['knative/replica-set', 'mongo/replica-set/backup'];
const ofSingleServer = ['mongo/local-volume', 'mongo/tls'];
const without = (others: string[]) => components.filter((name) => !others.includes(name));
const deployments = [deployed, deployedWithComponents, withReplicaSet, replicaSetWithComponents];
// a namespace that YAML could take for a number, and an image with both tag and digest
const deployedOddly = 'all, deployed under odd names';
const oddly = {
  namespace: '123',
  images: [
    {
      name: 'functions-on-knative',
      newName: 'registry.example:5000/functions:1.0',
      digest: `sha256:${'0'.repeat(64)}`,
    },
  ],
};
const sources = new Map([
  ...folders.filter((name) => !isComponent(name)).map((name) => [name, join(root, name)] as const),
  ...components.map(
    (name) => [name, overlay(basesOf(name), [name], { namespace: 'shop' })] as const,
  ),
  [deployed, overlay(all, [], deployment)],
  [deployedWithComponents, overlay(all, without(ofReplicaSet), deployment)],
  [withReplicaSet, overlay(allWithReplicaSet, ['knative/replica-set'], deployment)],
  [replicaSetWithComponents, overlay(allWithReplicaSet, without(ofSingleServer), deployment)],
  [deployedOddly, overlay(all, [], oddly)],
  ...[
    'mongo/backup/restore.yaml',
    'mongo/replica-set/move.yaml',
    'mongo/replica-set/backup/now.yaml',
    'mongo/replica-set/backup/restore.yaml',
  ].map((name) => [name, join(root, name)] as const),
]);

let admitted: Promise<Document[]> | undefined;
async function documents(name: string): Promise<Document[]> {
  admitted ??= admit([...sources.values()], (line) => console.error(line));
  return (await admitted).filter(({ source }) => source === sources.get(name));
}

const objects = async (name: string) =>
  (await documents(name)).map(({ object }) => object).filter(Boolean);

async function find(name: string, kind: string, object: string) {
  const found = (await objects(name)).find((o) => o.kind === kind && o.metadata.name === object);
  assert.ok(found, `${name} has no ${kind} ${object}`);
  return found;
}

const podTemplate = ({ kind, spec }: Document['object']) =>
  kind === 'CronJob' ? spec.jobTemplate.spec.template : spec?.template;

/** The service in both variants. */
const variants = async (name: string) =>
  [
    await find(name, 'Service', 'functions'),
    await find(name, 'Deployment', 'functions-hpa'),
  ] as const;

for (const name of sources.keys()) {
  test(`${name}: taken by Kubernetes 1.34, Pod Security restricted, Knative 1.21, Percona's operator 1.23`, async () => {
    const found = await documents(name);
    assert.ok(found.length > 0);
    const errors = found.flatMap(({ object, errors }) =>
      errors.map((error) => (object ? `${object.kind} ${object.metadata.name}: ${error}` : error)),
    );
    assert.equal(errors, []);
  });
}

test('both variants run the same container', async () => {
  for (const name of deployments) {
    const [knative, hpa] = (await variants(name)).map(({ spec: { template } }) => {
      const { image, env, resources, securityContext, volumeMounts } = template.spec.containers[0];
      const { automountServiceAccountToken, volumes } = template.spec;
      const client = template.metadata.labels['mongo-client'];
      const container = { image, env, resources, securityContext, volumeMounts };
      return { ...container, volumes, automountServiceAccountToken, client };
    });
    assert.equal(knative, hpa);
    assert.is(knative?.image, 'registry.example/functions:v1');
    assert.is(knative?.client, 'true');
    assert.is(knative?.automountServiceAccountToken, false);
  }
});

test('a namespace of digits stays a string, and an image keeps its tag and digest', async () => {
  for (const { metadata } of await objects(deployedOddly)) assert.is(metadata.namespace, '123');
  for (const variant of await variants(deployedOddly)) {
    const [container] = podTemplate(variant).spec.containers;
    assert.is(container.image, `registry.example:5000/functions:1.0@sha256:${'0'.repeat(64)}`);
  }
});

test('what docs/deploy.md deploys by hand is taken, with the image and the Secrets', async () => {
  // A stand-in for kubectl, as there is no cluster: it renders what the check has rendered. So that the
  // lines run on a machine without openssl, there is one for that, too.
  const random = "od -An -N24 -tx1 /dev/urandom | tr -d ' \\n'; echo";
  const { folder, run, read, remove } = machine({
    kubectl: [
      {
        'create namespace by-hand': '',
        '-n by-hand create secret generic mongo-* --from-literal=username=* --from-file=password=/dev/stdin':
          'cat >"$HERE/$6"',
        'kustomize knative/*': 'cat "$HERE/$2.yaml"',
        '-n by-hand apply -f -': 'cat >>"$HERE/applied.yaml"; echo --- >>"$HERE/applied.yaml"',
        '-n by-hand apply -k mongo': 'echo >"$HERE/mongo"',
        '-n by-hand rollout status *': '',
        '-n by-hand wait *': '',
      },
    ],
    openssl: [{ 'rand -hex 24': random }],
  });
  try {
    mkdirSync(join(folder, 'knative'));
    for (const name of ['knative/hpa', 'knative/service']) {
      const rendered = (await objects(name)).map(asYaml).join('---\n');
      writeFileSync(join(folder, `${name}.yaml`), rendered);
    }
    const { deployment, knative } = byHand();
    const IMAGE = 'registry.example/functions:v1';
    const options = ['-euo', 'pipefail', '-c'];
    const env = { NAMESPACE: 'by-hand', IMAGE };
    const { code, stderr } = run('bash', [...options, deployment + knative], env, root);
    assert.is(code, 0, stderr);

    const found = await admit([join(folder, 'applied.yaml')], console.error);
    assert.equal(
      found.flatMap(({ errors }) => errors),
      [],
    );
    const images = found
      .map(({ object }) => podTemplate(object)?.spec.containers)
      .filter(Boolean)
      .map(([{ image }]) => image);
    assert.equal(images, [IMAGE, IMAGE]);
    const passwords = ['mongo-root', 'mongo-app'].map(read);
    for (const password of passwords) assert.match(password, /^[0-9a-f]{48}\n$/);
    assert.is.not(passwords[0], passwords[1]);
    assert.ok(readdirSync(folder).includes('mongo'));
  } finally {
    remove();
  }
});

/** As kubectl writes it; dumpYaml would take Knative's Service for one of Kubernetes', by its kind. */
const asYaml = ({ apiVersion, kind, ...rest }: Document['object']) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\n${dumpYaml(rest)}`;

test('the service can be configured by what it is given', async () => {
  const { data } = await find(deployed, 'ConfigMap', 'mongo');
  for (const variant of await variants(deployed)) {
    const { mongo } = configOf(variant, data);
    assert.is(mongo.uri, 'mongodb://mongo-service:27017');
    assert.equal(mongo.auth, { username: 'app', password: 'secret' });
  }
  const service = await find(deployed, 'Service', 'mongo-service');
  assert.is(service.spec.ports[0].port, 27017);
});

/** What the service makes of its environment and its files in the cluster. */
function configOf(variant: Document['object'], configMap: Record<string, string> = {}) {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of podTemplate(variant).spec.containers[0].env) {
    const key = valueFrom?.configMapKeyRef.key;
    if (key) assert.ok(key in configMap, `${name}: there is no ${key}`);
    if (name.endsWith('_FILE')) env[name] = mounted(variant, value);
    else env[name] = value ?? configMap[key];
  }
  return parseConfig(env);
}

/** What the operator writes for its user `app`: see its pkg/psmdb/mongo/mongo.go. */
const replicaSetUri = `mongodb://app:p%40w@${[0, 1, 2]
  .map((n) => `mongo-rs-rs0-${n}.mongo-rs-rs0.shop.svc.cluster.local:27017`)
  .join()}/?authSource=admin&replicaSet=rs0&tls=true`;

/** The keys of the Secrets, and something that could be in each. */
const secrets: Record<string, Record<string, string>> = {
  'mongo-app': { username: 'app', password: 'secret' },
  'mongo-tls': { 'ca.crt': '-----BEGIN CERTIFICATE-----' },
  'mongo-rs-custom-user-secret-conn-str': { app_rs0_connectionString: replicaSetUri },
  'mongo-rs-ssl': { 'ca.crt': '-----BEGIN CERTIFICATE-----' },
};

/** @returns a file like the one that a variant has at a path, from a Secret that it may read */
function mounted(variant: Document['object'], path: string): string {
  const { containers, volumes } = podTemplate(variant).spec;
  const [{ volumeMounts, securityContext }] = containers;
  const mount = volumeMounts.find(
    (mount: { mountPath: string }) => mount.mountPath === dirname(path),
  );
  const volume = volumes.find(({ name }: { name: string }) => name === mount?.name);
  assert.ok(volume && mount.readOnly && securityContext.runAsNonRoot, path);
  // the files are root's, and Knative lets no pod set fsGroup
  assert.is((volume.projected ?? volume.secret).defaultMode, 0o444, path);
  const content = filesOf(volume)[basename(path)];
  assert.ok(content, `there is no ${path}`);
  const file = join(mkdtempSync(join(temporary, 'secret-')), basename(path));
  writeFileSync(file, content);
  return file;
}

/** The files of a volume, by their names, with what is in the Secrets that they come from. */
function filesOf({ secret, projected }: Document['object']): Record<string, string | undefined> {
  const sources: Document['object'][] = projected?.sources ?? [{ secret }];
  const files = sources.flatMap(({ secret: { name, secretName = name, items } }) => {
    const keys = secrets[secretName] ?? {};
    return items
      ? items.map(({ key, path }: { key: string; path: string }) => [path, keys[key]])
      : Object.entries(keys);
  });
  return Object.fromEntries(files);
}

test('with knative/auth and knative/api-keys, the settings name files that are mounted', async () => {
  for (const { spec } of await variants(deployedWithComponents)) {
    const { containers, volumes } = spec.template.spec;
    const [{ env, volumeMounts }] = containers;
    const setting = (name: string) => env.find((one: { name: string }) => one.name === name)?.value;
    // biome-ignore lint/suspicious/noExplicitAny: any volume
    const folderOf = (has: (volume: any) => boolean) => {
      const { name } = volumes.find(has);
      return volumeMounts.find((mount: { name: string }) => mount.name === name).mountPath;
    };
    assert.is(setting('AUTH_AUDIENCE'), 'functions');
    const issuer = folderOf(({ projected }) => projected);
    assert.is(setting('AUTH_JWKS_TOKEN_FILE'), `${issuer}/token`);
    assert.is(setting('NODE_EXTRA_CA_CERTS'), `${issuer}/ca.crt`);
    const keys = folderOf(({ secret }) => secret?.secretName === 'api-keys');
    assert.is(setting('AUTH_API_KEYS_FILE'), `${keys}/keys`);
  }
});

/** The most that MongoDB is without a primary when one dies: 10 s, and an election. */
const electionMs = 15_000;

test('with a replica set, the service has what the operator writes for its user', async () => {
  const { metadata, spec } = await find(withReplicaSet, 'PerconaServerMongoDB', 'mongo-rs');
  const [user, ...otherUsers] = spec.users;
  const [replset, ...otherSets] = spec.replsets;
  assert.equal([...otherUsers, ...otherSets], []);
  assert.is(spec.tls.mode, 'requireTLS');
  assert.is(replset.size, 3);
  // how the operator names members, Secrets and keys
  const service = `${metadata.name}-${replset.name}`;
  assert.match(replicaSetUri, `${service}-0.${service}.shop.svc.cluster.local:27017`);
  assert.match(replicaSetUri, `authSource=${user.db}&replicaSet=${replset.name}&`);
  const uri = {
    name: `${metadata.name}-custom-user-secret-conn-str`,
    items: [{ key: `${user.name}_${replset.name}_connectionString`, path: 'uri' }],
  };
  const ca = { name: spec.secrets.ssl, items: [{ key: 'ca.crt', path: 'ca.crt' }] };

  for (const variant of await variants(withReplicaSet)) {
    const { mongo } = configOf(variant);
    assert.ok(mongo.uri.startsWith(`${replicaSetUri}&tlsCAFile=`), mongo.uri);
    assert.not(mongo.auth);
    const { volumes } = podTemplate(variant).spec;
    const { projected } = volumes.find(({ name }: { name: string }) => name === 'mongo-rs');
    assert.equal(projected.sources, [{ secret: uri }, { secret: ca }]);
    assert.equal(user.roles, [{ name: 'readWrite', db: mongo.databaseName }]);
    assert.ok(mongo.timeoutMs > electionMs);
  }
});

test('the replica set keeps its name of the database, and move.yaml finds what it names', async () => {
  const { data } = await find(deployed, 'ConfigMap', 'mongo');
  const [variant] = await variants(withReplicaSet);
  assert.is(configOf(variant).mongo.databaseName, data.database);

  const [job] = await objects('mongo/replica-set/move.yaml');
  const { volumes } = podTemplate(job).spec;
  const { projected } = volumes.find(({ name }: { name: string }) => name === 'scripts');
  const scripts = await Promise.all(
    projected.sources.map(({ configMap }: { configMap: { name: string } }) =>
      find(
        configMap.name === 'mongo-backup' ? 'mongo' : withReplicaSet,
        'ConfigMap',
        configMap.name,
      ),
    ),
  );
  assert.ok(scripts.some(({ data }) => 'move.sh' in data));
  assert.ok(scripts.some(({ data }) => 'login.sh' in data));
});

test('a resource of the operator with a field that it does not know is refused', async () => {
  const file = join(temporary, 'unknown.yaml');
  const cluster = read('mongo/replica-set/cluster.yaml');
  writeFileSync(
    file,
    cluster.replace('size: 3', 'sizes: 3').replace('crVersion: 1.23.0', 'crVersion: 1'),
  );
  const [refused] = await admit([file], console.error);
  assert.match(refused?.errors.join('\n') ?? '', 'unknown field spec.replsets[0].sizes');
  assert.match(refused?.errors.join('\n') ?? '', 'spec.crVersion');
});

test('requests and limits', async () => {
  const containers = [...(await variants(deployed)), await find(deployed, 'StatefulSet', 'mongo')];
  for (const { spec } of containers) {
    assert.equal(spec.template.spec.containers[0].resources, {
      requests: { cpu: '200m', memory: '250Mi' },
      limits: { cpu: '500m', memory: '500Mi' },
    });
  }
});

/** @returns a quantity such as `500Mi` in bytes */
const mebibytes = (quantity: string) => Number(/^(\d+)Mi$/.exec(quantity)?.[1]) * 2 ** 20;

/** Of queue-proxy, from when a pod shall end until it passes that on: see Knative's sharedmain. */
const queueProxyDrainSeconds = 30;
/** The most that the service's drain takes beyond its two settings: see functions/http/server.ts. */
const lastConnectionsSeconds = 2;

test('a restart of MongoDB is shorter than a request may wait, and that than its route', async () => {
  const { data } = await find(deployed, 'ConfigMap', 'mongo');
  const [knative, hpa] = await variants(deployed);
  const pod = (await find(deployed, 'StatefulSet', 'mongo')).spec.template.spec;
  const { startupProbe, readinessProbe } = pod.containers[0];
  // the most until it has ended, and until a started one is seen
  const seconds =
    pod.terminationGracePeriodSeconds + startupProbe.periodSeconds + readinessProbe.periodSeconds;
  for (const variant of [knative, hpa]) {
    const { mongo } = configOf(variant, data);
    assert.ok(seconds < mongo.timeoutMs / 1000, `${seconds} s`);
    // a post may wait twice: for memory, and once its body has arrived
    assert.ok((2 * mongo.timeoutMs) / 1000 < knative.spec.template.spec.timeoutSeconds);
  }
});

test('what was accepted before SIGTERM has its whole time before SIGKILL', async () => {
  const { data } = await find(deployed, 'ConfigMap', 'mongo');
  const [knative, hpa] = await variants(deployed);
  const drainSeconds = (variant: Document['object']) => {
    const { drainDelayMs, drainTimeoutMs, mongo } = configOf(variant, data);
    assert.ok(drainTimeoutMs > mongo.timeoutMs);
    return (drainDelayMs + drainTimeoutMs) / 1000 + lastConnectionsSeconds;
  };
  const { terminationGracePeriodSeconds, containers } = hpa.spec.template.spec;
  const preStop = containers[0].lifecycle.preStop.sleep.seconds;
  assert.ok(preStop + drainSeconds(hpa) < terminationGracePeriodSeconds);
  // Knative makes it the pod's grace period
  const { timeoutSeconds } = knative.spec.template.spec;
  assert.ok(queueProxyDrainSeconds + drainSeconds(knative) < timeoutSeconds);
});

test('what requests may hold fits into half of the memory, which is what Node gives its heap', async () => {
  const { data } = await find(deployed, 'ConfigMap', 'mongo');
  for (const variant of await variants(deployed)) {
    const { limits } = podTemplate(variant).spec.containers[0].resources;
    assert.ok(configOf(variant, data).memoryBudgetBytes < mebibytes(limits.memory) / 2);
  }
});

test('Knative reads its autoscaling annotations where they are', async () => {
  for (const name of [deployed, deployedWithComponents]) {
    for (const object of await objects(name)) {
      for (const [path, value] of leaves(object)) {
        const at = path.indexOf('autoscaling.knative.dev/');
        if (at === -1) continue;
        assert.is(object.apiVersion, 'serving.knative.dev/v1');
        assert.is(path.slice(0, at), 'spec.template.metadata.annotations.');
        assert.match(path.slice(at), /\/[a-z]+(-[a-z]+)*$/);
        assert.type(value, 'string');
      }
    }
  }
});

/** All values in an object, by their paths. */
function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, path ? `${path}.${key}` : key),
  );
}

const annotations = async (name: string) =>
  (await find(name, 'Service', 'functions')).spec.template.metadata.annotations;

test('Knative scales from 2 to 5 on concurrency', async () => {
  const found = await annotations('knative/service');
  assert.is(found['autoscaling.knative.dev/class'], 'kpa.autoscaling.knative.dev');
  assert.is(found['autoscaling.knative.dev/metric'], 'concurrency');
  assert.is(found['autoscaling.knative.dev/min-scale'], '2');
  assert.is(found['autoscaling.knative.dev/max-scale'], '5');
});

test("hpa-class scales from 2 to 5 on CPU, and leaves nothing of the default autoscaler's", async () => {
  assert.equal(await annotations('knative/hpa-class'), {
    'autoscaling.knative.dev/class': 'hpa.autoscaling.knative.dev',
    'autoscaling.knative.dev/metric': 'cpu',
    'autoscaling.knative.dev/min-scale': '2',
    'autoscaling.knative.dev/max-scale': '5',
    'autoscaling.knative.dev/target': '70',
  });
});

test('the HPA scales the Deployment from 2 to 5 on CPU', async () => {
  const { spec } = await find(deployed, 'HorizontalPodAutoscaler', 'functions-hpa');
  const [, hpa] = await variants(deployed);
  const { apiVersion, kind, metadata } = hpa;
  assert.equal(spec.scaleTargetRef, { apiVersion, kind, name: metadata.name });
  assert.not('replicas' in hpa.spec);
  assert.ok(hpa.spec.template.spec.containers[0].resources.requests.cpu);
  assert.is(spec.minReplicas, 2);
  assert.is(spec.maxReplicas, 5);
  const target = { type: 'Utilization', averageUtilization: 70 };
  assert.equal(spec.metrics, [{ type: 'Resource', resource: { name: 'cpu', target } }]);
});

test('the data outlives the StatefulSet', async () => {
  const { spec } = await find(deployed, 'StatefulSet', 'mongo');
  assert.equal(spec.persistentVolumeClaimRetentionPolicy, {
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  });
  const [claim, ...others] = spec.volumeClaimTemplates;
  assert.equal(others, []);
  assert.is(claim.metadata.name, 'data');
  assert.not('storageClassName' in claim.spec);
  const mounts = spec.template.spec.containers[0].volumeMounts;
  assert.equal(
    mounts.filter(({ name }: { name: string }) => name === 'data'),
    [{ name: 'data', mountPath: '/data/db' }],
  );
});

test('local-volume binds the claim of mongo-0 to its volume', async () => {
  const name = 'mongo/local-volume';
  const { spec } = await find(name, 'StatefulSet', 'mongo');
  const volume = await find(name, 'PersistentVolume', 'functions-data-mongo-0');
  const storageClass = await find(name, 'StorageClass', 'functions-local');
  const [claim] = spec.volumeClaimTemplates;
  assert.is(claim.spec.storageClassName, storageClass.metadata.name);
  assert.is(volume.spec.storageClassName, storageClass.metadata.name);
  assert.is(volume.spec.claimRef.name, `${claim.metadata.name}-mongo-0`);
  assert.is(volume.spec.persistentVolumeReclaimPolicy, 'Retain');
  assert.is(volume.spec.capacity.storage, claim.spec.resources.requests.storage);
});

/** The labels of the pods that an object makes. */
function podLabels(object: Document['object']): Record<string, string> | undefined {
  const { labels } = podTemplate(object)?.metadata ?? {};
  // Knative Serving adds this one
  const isService = object.apiVersion === 'serving.knative.dev/v1';
  const added = isService && { 'serving.knative.dev/service': object.metadata.name };
  return labels && { ...labels, ...added };
}

const selects = (
  selector: { matchLabels?: object } | Record<string, string>,
  labels: Record<string, string>,
) =>
  Object.entries(selector.matchLabels ?? selector).every(([key, value]) => labels[key] === value);

/** The members of the replica set, as the operator makes them: see its pkg/naming/labels.go. */
const members: Document['object'] = {
  kind: 'StatefulSet',
  metadata: { name: 'mongo-rs-rs0' },
  spec: {
    template: {
      metadata: {
        labels: {
          'app.kubernetes.io/name': 'percona-server-mongodb',
          'app.kubernetes.io/instance': 'mongo-rs',
          'app.kubernetes.io/component': 'mongod',
        },
      },
    },
  },
};

/** What has pods and is not in the kustomizations of a deployment. */
async function madeElsewhere(name: string): Promise<Document['object'][]> {
  return name === deployed || name === deployedWithComponents
    ? objects('mongo/backup/restore.yaml')
    : [members, ...(await objects('mongo/replica-set/move.yaml'))];
}

test('what selects pods finds some', async () => {
  for (const name of deployments) {
    const found = await objects(name);
    const labels = [...found, ...(await madeElsewhere(name))]
      .map(podLabels)
      .filter((labels) => labels !== undefined);
    for (const { kind, metadata, spec } of found) {
      const selector = spec?.selector ?? spec?.podSelector;
      assert.ok(
        !selector || labels.some((pod) => selects(selector, pod)),
        `${kind} ${metadata.name} selects no pod`,
      );
    }
  }
});

type Peer = { podSelector: { matchLabels: object } };
type Rule = { from?: Peer[]; to?: Peer[]; ports?: { port: number | string }[] };

/** What the NetworkPolicies for a pod say of one direction, or nothing if it is open. */
async function rulesOf(name: string, object: Document['object'], direction: 'Ingress' | 'Egress') {
  const labels = podLabels(object) ?? {};
  const policies = (await objects(name)).filter(
    ({ kind, spec }) =>
      kind === 'NetworkPolicy' &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector, labels),
  );
  if (policies.length === 0) return undefined;
  return policies.flatMap(({ spec }): Rule[] => spec[direction.toLowerCase()] ?? []);
}

test('everyone reaches the service by default, and nothing else in its pods', async () => {
  for (const variant of await variants(deployed)) {
    assert.is(await rulesOf(deployed, variant, 'Egress'), undefined);
  }
  const open = async (name: string) =>
    Promise.all(
      (await variants(name)).map(async (variant) =>
        (await rulesOf(name, variant, 'Ingress'))
          ?.filter(({ from }) => !from)
          .flatMap(({ ports }) => ports?.map(({ port }) => port)),
      ),
    );
  assert.equal(await open(deployed), [[8012, 8013, 8112, 9090], [8080]]);
  assert.equal(await open(deployedWithComponents), [[], [8080]]);
});

test('with network-policies, every pod lets in and out only what a policy names', async () => {
  for (const [name, count] of [
    [deployedWithComponents, 7],
    [replicaSetWithComponents, 6],
  ] as const) {
    const pods = [...(await objects(name)), ...(await madeElsewhere(name))].filter(podLabels);
    assert.is(pods.length, count);
    for (const pod of pods) {
      for (const direction of ['Ingress', 'Egress'] as const) {
        const rules = await rulesOf(name, pod, direction);
        assert.ok(rules, `${pod.kind} ${pod.metadata.name}: ${direction} is open`);
        for (const { ports } of rules) assert.ok(ports?.length, pod.metadata.name);
      }
    }
  }
});

/** The ports that a pod may connect to, at another pod or else at an address outside. */
async function portsTo(name: string, pod: Document['object'], other?: Document['object']) {
  const labels = other && podLabels(other);
  const rules = (await rulesOf(name, pod, 'Egress')) as Rule[];
  const open = rules.filter(
    ({ to }) => !to || (labels && to.some(({ podSelector }) => selects(podSelector, labels))),
  );
  return [...new Set(open.flatMap(({ ports = [] }) => ports.map(({ port }) => port)))].sort();
}

test('members of the replica set connect to each other only, and to S3 where there are backups', async () => {
  const dns = [53, 5353];
  const [, hpa] = await variants(withReplicaSet);
  const mongo = await find(deployed, 'StatefulSet', 'mongo');
  const [move] = await objects('mongo/replica-set/move.yaml');
  assert.equal(await portsTo(withReplicaSet, members, members), [27017, ...dns]);
  assert.equal(await portsTo(withReplicaSet, members, hpa), dns);
  assert.equal(await portsTo(withReplicaSet, members), dns);
  assert.equal(await portsTo(replicaSetWithComponents, members), [443, ...dns]);
  for (const database of [mongo, members]) {
    assert.equal(await portsTo(withReplicaSet, move, database), [27017, ...dns]);
  }
  assert.equal(await portsTo(withReplicaSet, move), dns);
  assert.equal(await rulesOf(withReplicaSet, move, 'Ingress'), []);
});

test('MongoDB lets in who carries the label mongo-client, and all its clients do', async () => {
  const { spec } = await find(deployed, 'NetworkPolicy', 'mongo');
  assert.equal(spec.ingress, [
    {
      from: [{ podSelector: { matchLabels: { 'mongo-client': 'true' } } }],
      ports: [{ port: 'mongodb' }],
    },
  ]);
  const found = [
    ...(await objects(deployed)),
    ...(await objects('mongo/backup/restore.yaml')),
    ...(await objects('mongo/replica-set/move.yaml')),
  ];
  const clients = found
    .map(podTemplate)
    .filter((template) =>
      template?.spec.containers[0].env.some(({ name }: { name: string }) => name === 'MONGO_HOST'),
    );
  assert.is(clients.length, 5);
  for (const { metadata } of clients) assert.is(metadata.labels['mongo-client'], 'true');
});

test('the connections of all replicas fit into what the cache leaves of the memory', async () => {
  const { data } = await find(deployed, 'ConfigMap', 'mongo');
  const [knative, hpa] = await variants(deployed);
  const { spec } = await find(deployed, 'HorizontalPodAutoscaler', 'functions-hpa');
  const maxScale = knative.spec.template.metadata.annotations['autoscaling.knative.dev/max-scale'];
  // while new versions roll out: one more of the Deployment, and a second revision
  const replicas = spec.maxReplicas + hpa.spec.strategy.rollingUpdate.maxSurge;
  const pools = [
    ...Array(replicas).fill(configOf(hpa, data).mongo.poolSize),
    ...Array(2 * Number(maxScale)).fill(configOf(knative, data).mongo.poolSize),
  ];
  // the driver opens two more, to monitor the server
  const connections = pools.reduce((sum, pool) => sum + pool + 2, 0);

  const [mongo] = (await find(deployed, 'StatefulSet', 'mongo')).spec.template.spec.containers;
  const limit = mebibytes(mongo.resources.limits.memory) / 2 ** 20;
  const cache = 1024 * Number(mongo.args[mongo.args.indexOf('--wiredTigerCacheSizeGB') + 1]);
  // MongoDB counts on 1 MiB a connection
  assert.ok(connections <= limit - cache, `${connections} connections, ${limit - cache} MiB`);
});

test('no container of any combination has a secret in its environment', async () => {
  for (const name of sources.keys()) {
    for (const object of await objects(name)) {
      const where = `${name}: ${object.kind} ${object.metadata.name}`;
      // env and envFrom of containers of any kind
      for (const [path] of leaves(object)) {
        assert.not.match(path, /\.(secretKeyRef|secretRef)\./, `${where}: ${path}`);
      }
      const { initContainers = [], containers = [] } = podTemplate(object)?.spec ?? {};
      for (const { env = [] } of [...initContainers, ...containers]) {
        for (const { name: variable } of env) {
          const isSecret = /PASSWORD|SECRET|TOKEN|KEY|URI/.test(variable);
          assert.ok(!isSecret || variable.endsWith('_FILE'), `${where}: ${variable}`);
        }
      }
    }
  }
});

test('no Secret is rendered, and no password stands in a file', async () => {
  for (const name of sources.keys()) {
    for (const object of await objects(name)) {
      assert.is.not(object.kind, 'Secret', name);
    }
  }
  for (const file of files) {
    for (const literal of literals) assert.not.match(read(file), literal, file);
  }
});

// neither $(…) nor $variable nor a call
const literals = [
  /(password|passwd|pwd)["']?[ \t]*[:=][ \t]*["']?(?!\w+\()[\w+/]/i,
  /--password[ =]["']?\w/,
  /mongodb(\+srv)?:\/\/[^\s:@'"]+:[^\s$@'"]+@/,
];

test.run();
