import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadYaml } from '@kubernetes/client-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answers, type Machine, machine, type Result } from '../../tools/programs/stand-ins';

// Each path of the scripts, with stand-ins for docker, kind, kubectl and so on: see tools/programs/stand-ins.ts.

const root = join(__dirname, '../..');
const test = suite('scripts');
const machines: Machine[] = [];
test.after.each(() => {
  for (const { remove } of machines.splice(0)) remove();
});

const refused = 'echo "Error from server (Forbidden): not you" >&2; exit 1';
const notFound =
  'echo "Error from server (NotFound): the server could not find the requested resource" >&2; exit 1';
const knativeApi = 'get --raw /apis/serving.knative.dev/v1';
const metricsApi = 'get --raw /apis/metrics.k8s.io/v1beta1';
const operatorApi = 'get --raw /apis/psmdb.percona.com/v1';

/** kubectl on a cluster of kind with Knative and metrics-server, where everything comes up at once. */
const cluster: Answers = {
  'config current-context': 'echo kind-knative',
  'version *': '',
  [knativeApi]: '',
  [metricsApi]: '',
  [operatorApi]: notFound,
  'get namespace *': '',
  '*auth can-i create *': 'echo yes',
  '*get persistentvolumeclaim *': '',
  '*get services.serving.knative.dev/functions *-o yaml': '',
  '*get deployments.apps/functions-hpa *-o yaml': '',
  '*get secret mongo-*--ignore-not-found*': '',
  'create --filename - --namespace *':
    'cat >>"$HERE/secrets.yaml"; echo ---  >>"$HERE/secrets.yaml"',
  'create --filename -': 'cat >"$HERE/namespace.yaml"',
  '*apply --kustomize .deploy': 'cat .deploy/kustomization.yaml >"$HERE/applied.yaml"',
  '*rollout status *': '',
  '*get secret mongo-app -o *': 'printf YXBw',
  '*exec --stdin mongo-0 *': 'cat >>"$HERE/mongosh.js"',
  '*get services.serving.knative.dev functions -o *generation}*Ready*': 'printf "3 True"',
  '*get services.serving.knative.dev functions -o *observedGeneration}': 'printf 3',
  '*get deployment functions-hpa -o *readyReplicas}': 'printf 2',
  '*get services.serving.knative.dev functions -o *url}*': 'echo http://functions.shop.example.com',
  '*get service *loadBalancer*': '',
  '*kourier-system get service kourier *nodePort}': 'printf 31080',
  '*get service functions-hpa *nodePort}': 'printf 30000',
  'get nodes -o *addresses*': 'printf 10.0.0.1',
  'get nodes -o *minikube*': '',
};
const plain = { [knativeApi]: notFound };
const minikube = {
  'config current-context': 'echo minikube',
  'get nodes -o *minikube*': 'printf mini',
};

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** docker, podman or buildah; docker tells the digests of all registries that an image was pushed to */
const builder: Answers = {
  info: '',
  'build *': '',
  'push *--digestfile *': `while [ "$1" != --digestfile ]; do shift; done; printf ${digest} >"$2"`,
  'push *': '',
  'image inspect *': `printf '%s\\n' other.example/functions@sha256:1 "\${5%:*}@${digest}"`,
  'save --output *': 'echo archive >"$3"',
};

const takeArchive =
  'for last; do :; done; [ -d "$(dirname "$last")" ] && echo "$last" >"$HERE/loaded"';

/** What stands in for each program: nothing, or answers that count before the usual ones. */
type Programs = Record<string, Answers | Answers[] | undefined>;

/** A machine with a copy of the scripts, all programs unless stated otherwise, and the given answers first. */
function prepare(answers: Programs = {}) {
  const all: Record<string, Answers> = {
    kubectl: cluster,
    kn: { 'service describe *': 'echo described' },
    docker: builder,
    podman: builder,
    buildah: builder,
    kind: { 'load image-archive *': takeArchive },
    minikube: { '*image load *': takeArchive },
    git: { 'describe *': 'echo v1.0-3-gabc' },
    node: { '-p *': 'echo 1.0.0' },
    openssl: { 'genpkey *': 'echo KEY', 'req *': 'cat >/dev/null; echo CERTIFICATE' },
    sleep: { '*': '' },
  };
  const programs = Object.entries(all).filter(([name]) => !(name in answers) || answers[name]);
  const prepared = machine(
    Object.fromEntries(programs.map(([name, base]) => [name, [answers[name] ?? [], base].flat()])),
  );
  machines.push(prepared);
  const repository = join(prepared.folder, 'repository');
  mkdirSync(repository);
  for (const folder of ['knative', 'mongo'])
    cpSync(join(root, folder), join(repository, folder), { recursive: true });
  const built = join(repository, '.deploy/image');
  mkdirSync(join(repository, '.deploy'));
  writeFileSync(built, `${local} \n`);
  const run = (script: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) =>
    prepared.run(join(repository, script), args, { NAMESPACE: 'shop', ...env }, repository);
  // what is stamped into an image is not what is tested here
  const calls = () => prepared.calls().map((call) => call.replaceAll(/ --build-arg \S+/g, ''));
  return {
    ...prepared,
    calls,
    /** What image.sh noted last. */
    built: () => readFileSync(built, 'utf8'),
    forget: () => rmSync(built),
    image: (args: string[] = [], env = {}) => run('knative/deploy/image.sh', args, env),
    deploy: (env = {}) => run('knative/deploy/deploy.sh', [], env),
    undeploy: (args: string[] = [], env = {}) => run('knative/deploy/undeploy.sh', args, env),
    rotate: () => run('mongo/rotate.sh'),
    secrets: () => run('mongo/secrets.sh', ['--namespace', 'shop']),
    shell: (line: string) => prepared.run('bash', ['-c', line], { NAMESPACE: 'shop' }, repository),
    /** The calls of one program, without its name. */
    callsOf: (name: string) =>
      calls()
        .filter((call) => call.startsWith(`${name} `))
        .map((call) => call.slice(name.length + 1)),
  };
}

function succeeds({ code, stdout, stderr }: Result): void {
  assert.is(code, 0, stderr + stdout);
}

/** Exit code 1 and nothing on standard error but this. */
function failsWith({ code, stdout, stderr }: Result, message: string | RegExp): void {
  assert.ok(code !== 0, stdout);
  if (typeof message === 'string') assert.is(stderr.trim(), message);
  else assert.match(stderr, message);
}

const tag = 'v1.0-3-gabc';
const local = `dev.local/functions-on-knative:${tag}`;
const remote = `registry.example:5000/team/functions-on-knative:${tag}`;
const REGISTRY = 'registry.example:5000/team';
/** Only this one of docker, podman and buildah is there. */
const only = (tool: string) =>
  Object.fromEntries(
    ['docker', 'podman', 'buildah']
      .filter((name) => name !== tool)
      .map((name) => [name, undefined]),
  );

/** The calls of a tool, but for how it tells the digest of what it pushed. */
const pushesOf = (tool: string, callsOf: (tool: string) => string[]) =>
  callsOf(tool)
    .filter((call) => !call.startsWith('image inspect '))
    .map((call) => call.replace(/--digestfile \S+ /, ''));

for (const [tool, build, save] of [
  ['docker', 'build --tag', 'save --output ARCHIVE IMAGE'],
  ['podman', 'build --tag', 'save --output ARCHIVE IMAGE'],
  ['buildah', 'build --layers --tag', 'push IMAGE docker-archive:ARCHIVE:IMAGE'],
] as const) {
  test(`image: built and pushed with ${tool}`, () => {
    const { image, callsOf, built } = prepare(only(tool));
    const done = image([], { REGISTRY });
    succeeds(done);
    assert.is(done.stdout, `${remote}\n`);
    assert.equal(pushesOf(tool, callsOf), ['info', `${build} ${remote} .`, `push ${remote}`]);
    assert.equal(callsOf('kubectl'), []);
    assert.is(built(), `${remote} ${digest}\n`);
  });

  test(`image: pushed with ${tool} to a registry without TLS`, () => {
    const { image, callsOf } = prepare(only(tool));
    succeeds(image(['push'], { REGISTRY, REGISTRY_HTTP: 'true' }));
    const insecure = tool === 'docker' ? '' : '--tls-verify=false ';
    assert.equal(pushesOf(tool, callsOf), ['info', `push ${insecure}${remote}`]);
  });

  for (const [where, answers, loader] of [
    ['kind', {}, 'kind load image-archive --name knative ARCHIVE'],
    ['minikube', minikube, 'minikube --profile mini image load ARCHIVE'],
  ] as const) {
    test(`image: loaded on ${where} with ${tool}`, () => {
      const { image, calls, folder, read } = prepare({ ...only(tool), kubectl: answers });
      const done = image();
      succeeds(done);
      assert.is(done.stdout, `${local}\n`);
      const archive = read('loaded').trim();
      const steps = calls().filter((call) => !/^(git|kubectl|node) | info$/.test(call));
      const expected = [`${tool} ${build} ${local} .`, `${tool} ${save}`, loader];
      assert.equal(
        steps.map((step) => step.replaceAll(archive, 'ARCHIVE').replaceAll(local, 'IMAGE')),
        expected.map((step) => step.replaceAll(local, 'IMAGE')),
      );
      assert.equal(
        readdirSync(folder).filter((name) => name.startsWith('tmp.')),
        [],
      );
    });
  }
}

test('image: only built, which needs no cluster', () => {
  const { image, callsOf } = prepare({ kubectl: undefined });
  succeeds(image(['build']));
  assert.equal(callsOf('docker'), ['info', `build --tag ${local} .`]);
});

test('image: an unknown step', () => {
  const { image, calls } = prepare();
  failsWith(image(['build', 'sign']), 'usage: npm run image [-- build] [push]');
  assert.not.ok(calls().some((call) => call.startsWith('docker')));
});

test('image: the first tool that works is taken, or the one of TOOL', () => {
  const down = { info: 'echo "no daemon" >&2; exit 1' };
  const { image, callsOf } = prepare({ docker: down });
  succeeds(image(['build']));
  assert.equal(callsOf('podman'), ['info', `build --tag ${local} .`]);
  succeeds(image(['build'], { TOOL: 'buildah' }));
  assert.equal(callsOf('buildah'), ['info', `build --layers --tag ${local} .`]);
  failsWith(
    image(['build'], { TOOL: 'docker' }),
    'None of these works here: docker. Install or start one of docker, podman and buildah.',
  );
});

test('image: no tool', () => {
  const { image } = prepare({ docker: undefined, podman: undefined, buildah: undefined });
  failsWith(
    image(),
    'None of these works here: docker podman buildah. Install or start one of docker, podman and buildah.',
  );
});

for (const [what, answers, message] of [
  [
    'the cluster is neither of kind nor of minikube',
    { kubectl: { 'config current-context': 'echo cloud', 'get nodes *': refused } },
    'Set REGISTRY, so that the cluster can pull the image: the context is neither kind nor minikube.',
  ],
  [
    'kind is missing',
    { kind: undefined },
    'kind, which puts the image on the cluster of the context kind-knative, is missing: install it, or set REGISTRY.',
  ],
  [
    'minikube is missing',
    { minikube: undefined, kubectl: minikube },
    'minikube, which puts the image on the cluster of the context minikube, is missing: install it, or set REGISTRY.',
  ],
  [
    'kubectl is missing',
    { kubectl: undefined },
    'kubectl is missing: install it, and point its current context at a cluster.',
  ],
  [
    'the cluster does not answer',
    { kubectl: { 'version *': 'echo "connection refused" >&2; exit 1' } },
    'The cluster of the context kind-knative does not answer: start it, or choose another context.\nconnection refused',
  ],
] as [string, Programs, string][]) {
  test(`image: ${what}, reported before anything is built`, () => {
    const { image, callsOf } = prepare(answers);
    failsWith(image(), message);
    assert.equal(callsOf('docker'), ['info']);
  });
}

for (const [what, answers, env, last] of [
  ['build', { docker: { 'build *': 'exit 3' } }, { REGISTRY }, 'docker build'],
  ['push', { docker: { 'push *': 'exit 3' } }, { REGISTRY }, 'docker push'],
  ['save', { docker: { 'save *': 'exit 3' } }, {}, 'docker save'],
  ['load', { kind: { 'load *': 'exit 3' } }, {}, 'kind load'],
] as [string, Record<string, Answers>, object, string][]) {
  test(`image: a ${what} that fails ends it with its exit code`, () => {
    const { image, calls, folder } = prepare(answers);
    const { code, stdout } = image([], env);
    assert.is(code, 3);
    assert.is(stdout, '');
    assert.ok(calls().at(-1)?.startsWith(last));
    assert.equal(
      readdirSync(folder).filter((name) => name.startsWith('tmp.')),
      [],
    );
  });
}

test('image: its name without git, and where git says what no tag can be', () => {
  const { image } = prepare({ git: undefined });
  assert.is(image(['build']).stdout, 'dev.local/functions-on-knative:local\n');
  const odd = prepare({ git: { 'describe *': 'echo release/1.0+x' } });
  assert.is(odd.image(['build']).stdout, 'dev.local/functions-on-knative:release-1.0-x\n');
});

test('image: a name with a digest can not be built', () => {
  failsWith(prepare().image([], { IMAGE: `a.example/b@${digest}` }), /leave it out/);
});

test('image: what was only built has no digest', () => {
  const { image, built } = prepare();
  succeeds(image([], { REGISTRY }));
  succeeds(image(['build'], { REGISTRY }));
  assert.is(built(), `${remote} \n`);
});

/** What deploy.sh has applied. */
function applied({ read }: { read(file: string): string }) {
  return loadYaml(read('applied.yaml')) as {
    namespace: unknown;
    resources: string[];
    components: string[];
    images: Record<string, unknown>[];
  };
}

test('deploy: both variants', () => {
  const { deploy, callsOf, ...here } = prepare();
  const done = deploy();
  succeeds(done);
  assert.equal(applied(here), {
    namespace: 'shop',
    resources: ['../mongo', '../knative/service', '../knative/hpa'],
    components: [],
    images: [
      { name: 'functions-on-knative', newName: 'dev.local/functions-on-knative', newTag: tag },
    ],
  });
  assert.is(
    done.stdout.replace(/\d+ s$/gm, '0 s'), // a slow machine takes a second or more
    `waiting for MongoDB  0 s
waiting for the Knative Service  0 s
waiting for the Deployment  0 s
waiting for its second replica  0 s
described

The Knative Service is http://functions.shop.example.com:

  curl -H 'Host: functions.shop.example.com' http://10.0.0.1:31080/time
  curl -H 'Host: functions.shop.example.com' -X POST -H 'Content-Type: application/json' -d '{"test":"persistence"}' http://10.0.0.1:31080/data
  curl -H 'Host: functions.shop.example.com' http://10.0.0.1:31080/data

The Deployment:

  curl http://10.0.0.1:30000/time
  curl -X POST -H 'Content-Type: application/json' -d '{"test":"persistence"}' http://10.0.0.1:30000/data
  curl http://10.0.0.1:30000/data

Both keep the same documents.
`,
  );
  assert.is(done.stderr, '');
  assert.match(here.read('mongosh.js'), /create-user\.js/);
  assert.is(here.read('namespace.yaml'), '');
});

test('deploy: a namespace that is missing is made', () => {
  const { deploy, read } = prepare({ kubectl: { 'get namespace *': notFound } });
  succeeds(deploy({ NAMESPACE: '123' }));
  const namespace = JSON.parse(JSON.stringify(loadYaml(read('namespace.yaml'))));
  assert.equal(namespace, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: '123', labels: { 'app.kubernetes.io/part-of': 'functions-on-knative' } },
  });
});

test('deploy: names that YAML takes for something else', () => {
  for (const NAMESPACE of [
    '123',
    '1e3',
    '0x1f',
    'true',
    'null',
    'no',
    'a',
    'a--b',
    'x'.repeat(63),
  ]) {
    const { deploy, ...here } = prepare();
    succeeds(deploy({ NAMESPACE }));
    assert.is(applied(here).namespace, NAMESPACE);
  }
});

test('deploy: names that no namespace can have', () => {
  const { deploy, calls } = prepare();
  for (const NAMESPACE of ['Shop', '-a', 'a-', 'a_b', 'a.b', 'a b', "a'", 'a\nb', 'x'.repeat(64)]) {
    failsWith(deploy({ NAMESPACE }), /^NAMESPACE can't be "/);
  }
  assert.equal(calls(), []);
});

test('deploy: names of images', () => {
  for (const [IMAGE, expected] of [
    ['a', { newName: 'a', newTag: 'latest' }],
    ['localhost:5000/a', { newName: 'localhost:5000/a', newTag: 'latest' }],
    ['localhost:5000/a/b__c:1.10', { newName: 'localhost:5000/a/b__c', newTag: '1.10' }],
    ['R.example/a:true', { newName: 'R.example/a', newTag: 'true' }],
    ['[::1]:5000/a:0x1f', { newName: '[::1]:5000/a', newTag: '0x1f' }],
    ['a:_', { newName: 'a', newTag: '_' }],
    [`r.example/a@${digest}`, { newName: 'r.example/a', digest }],
    [`r.example:5000/a:1.0@${digest}`, { newName: 'r.example:5000/a:1.0', digest }],
  ] as const) {
    const { deploy, ...here } = prepare();
    succeeds(deploy({ IMAGE }));
    assert.equal(applied(here).images, [{ name: 'functions-on-knative', ...expected }]);
  }
  const { deploy, callsOf } = prepare();
  for (const IMAGE of [
    'A',
    'a:',
    'a:b:c',
    'a/',
    'r.example/Team/a',
    'a b',
    "a'",
    'a@sha256:12',
    'http://a/b',
  ]) {
    failsWith(deploy({ IMAGE }), /is not the name of an image/);
  }
  failsWith(deploy({ REGISTRY: 'https://registry.example' }), /is not the name of an image/);
  assert.equal(callsOf('kubectl'), []);
});

test('deploy: what was pushed from here, by its digest', () => {
  const { image, deploy, ...here } = prepare();
  succeeds(image([], { REGISTRY }));
  succeeds(deploy({ REGISTRY }));
  assert.equal(applied(here).images, [{ name: 'functions-on-knative', newName: remote, digest }]);
  const named = deploy({ IMAGE: remote });
  succeeds(named);
  assert.match(named.stdout, `It was pushed from here: ${remote}@${digest} is deployed.`);
  // not another one
  succeeds(deploy({ IMAGE: 'r.example/a:1' }));
  assert.is(applied(here).images[0]?.newTag, '1');
});

for (const [origin, owner] of [
  ['https://github.com/Team-A/functions', 'team-a'],
  ['git@github.com:team/functions.git', 'team'],
  ['ssh://git@ssh.github.com:443/team/functions.git', 'team'],
] as const) {
  test(`deploy: the published image of this version, where nothing was built in a clone of ${origin}`, () => {
    const { deploy, forget, ...here } = prepare({
      git: { 'remote get-url origin': `echo ${origin}`, 'tag --points-at HEAD': 'echo v1.0.0' },
    });
    forget();
    const done = deploy();
    succeeds(done);
    const newName = `ghcr.io/${owner}/functions-on-knative`;
    assert.equal(applied(here).images, [
      { name: 'functions-on-knative', newName, newTag: '1.0.0' },
    ]);
    assert.match(
      done.stdout,
      `No image was built here: the published one is deployed, ${newName}:1.0.0.\n`,
    );
    assert.not.match(done.stdout, 'is not the release');
    // what is named goes first
    succeeds(deploy({ REGISTRY }));
    assert.is(applied(here).images[0]?.newTag, tag);
  });
}

test('deploy: the published image is said to be of another commit than the release', () => {
  const origin = { 'remote get-url origin': 'echo https://github.com/team/functions' };
  for (const tags of ['', 'echo v1.0.0-rc.1']) {
    const { deploy, forget, ...here } = prepare({
      git: { ...origin, 'tag --points-at HEAD': tags },
    });
    forget();
    const done = deploy();
    succeeds(done);
    assert.match(done.stdout, 'This commit is not the release v1.0.0: ');
    assert.is(applied(here).images[0]?.newTag, '1.0.0');
  }
});

test('deploy: nothing was built, in no clone from GitHub', () => {
  const elsewhere = ['https://git.example/team/functions', 'https://notgithub.com/team/functions'];
  const origins = [...elsewhere.map((url) => `echo ${url}`), 'exit 2'];
  for (const git of [
    ...origins.map((origin) => ({ 'remote get-url origin': origin })),
    undefined,
  ]) {
    const { deploy, forget, callsOf } = prepare({ git });
    forget();
    failsWith(
      deploy(),
      'No image was built in this folder, and it is not a clone from GitHub, so there is no published image to use. Run npm run image, or set IMAGE.',
    );
    assert.equal(callsOf('kubectl'), []);
  }
});

test('deploy: a service that asks for credentials is not opened by accident', () => {
  const asksForToken = {
    '*get services.serving.knative.dev/functions *-o yaml': 'echo "- name: AUTH_ISSUER"',
    'kustomize .deploy': 'cat .deploy/kustomization.yaml',
  };
  const { deploy, callsOf } = prepare({ kubectl: asksForToken });
  failsWith(
    deploy({ COMPONENTS: 'knative/hpa-class' }),
    'Callers need a token or a key now, and would no longer need one: add knative/auth or knative/api-keys to COMPONENTS, or set ALLOW_OPEN=true.',
  );
  assert.not.ok(callsOf('kubectl').some((call) => call.includes('apply')));
  succeeds(deploy({ ALLOW_OPEN: 'true' }));
  const broken = { ...asksForToken, 'kustomize .deploy': 'echo "invalid patch" >&2; exit 1' };
  failsWith(prepare({ kubectl: broken }).deploy(), 'invalid patch');
  const stillAsks = { ...asksForToken, 'kustomize .deploy': 'echo "  name: AUTH_API_KEYS_FILE"' };
  succeeds(prepare({ kubectl: stillAsks }).deploy());
});

test('deploy: components', () => {
  const { deploy, ...here } = prepare();
  for (const COMPONENTS of [
    ' knative/hpa-class  mongo/local-volume ',
    'knative/hpa-class\nmongo/local-volume\n',
  ]) {
    succeeds(deploy({ COMPONENTS }));
    assert.equal(applied(here).components, ['../knative/hpa-class', '../mongo/local-volume']);
  }
});

test('deploy: monitoring needs neither variant', () => {
  for (const VARIANTS of ['knative', 'hpa']) {
    const { deploy, ...here } = prepare();
    succeeds(deploy({ VARIANTS, COMPONENTS: 'knative/monitoring' }));
    assert.equal(applied(here).components, ['../knative/monitoring']);
  }
});

test('deploy: a replica set in place of the single server', () => {
  const { deploy, callsOf, ...here } = prepare({
    kubectl: {
      [operatorApi]: '',
      '*get secret mongo-rs-custom-user-secret-conn-str': '',
    },
  });
  const done = deploy({ COMPONENTS: 'knative/replica-set mongo/replica-set/backup' });
  succeeds(done);
  const { resources, components } = applied(here);
  assert.equal(resources, ['../mongo/replica-set', '../knative/service', '../knative/hpa']);
  assert.equal(components, ['../knative/replica-set', '../mongo/replica-set/backup']);
  assert.match(
    done.stdout,
    /waiting for the replica set {2}\d+ s\nwaiting for the Knative Service/,
  );
  // neither the Secrets nor the users of the single server
  assert.not.match(callsOf('kubectl').join('\n'), /statefulset|mongo-root|mongo-app|mongo-0/);
});

test('deploy: a replica set without the operator', () => {
  const { deploy, callsOf } = prepare();
  failsWith(
    deploy({ COMPONENTS: 'knative/replica-set' }),
    "Percona's operator for MongoDB is not installed on this cluster: install it (docs/replica-set.md), or deploy without knative/replica-set.",
  );
  assert.not.match(callsOf('kubectl').join('\n'), /create|apply/);
});

test('deploy: a replica set with the TLS of the single server', () => {
  const { deploy, callsOf } = prepare();
  failsWith(
    deploy({ COMPONENTS: 'mongo/tls knative/replica-set' }),
    "COMPONENTS can't have both knative/replica-set and mongo/tls: the replica set has TLS of its own.",
  );
  assert.equal(callsOf('kubectl'), []);
});

test('deploy: components that are none', () => {
  const { deploy, callsOf } = prepare();
  for (const name of [
    'nothing',
    'knative/hpa',
    'mongo/local-volume/volume.yaml',
    'mongo/tls/',
    '/',
  ]) {
    failsWith(
      deploy({ COMPONENTS: `mongo/local-volume ${name}` }),
      `COMPONENTS: "${name}" is unknown. Choose from: knative/api-keys knative/auth knative/hpa-class knative/monitoring knative/network-policies knative/openshift knative/replica-set knative/tracing mongo/local-volume mongo/tls mongo/replica-set/backup.`,
    );
  }
  assert.equal(callsOf('kubectl'), []);
});

const leftOut =
  'The Knative Service is left out: Knative Serving is not installed on this cluster (https://knative.dev/docs/install).\n';

for (const [installed, VARIANTS, expected] of [
  [true, '', ['service', 'hpa']],
  [true, 'hpa knative', ['service', 'hpa']],
  [true, 'knative\nhpa', ['service', 'hpa']],
  [true, '\tknative\thpa\n', ['service', 'hpa']],
  [true, 'knative', ['service']],
  [true, 'hpa', ['hpa']],
  [false, '', ['hpa']],
  [false, ' ', ['hpa']],
  [false, 'hpa', ['hpa']],
] as const) {
  test(`deploy: ${installed ? 'with' : 'without'} Knative, VARIANTS=${JSON.stringify(VARIANTS)}`, () => {
    const { deploy, callsOf, ...here } = prepare({ kubectl: installed ? {} : plain });
    const done = deploy({ VARIANTS });
    succeeds(done);
    assert.equal(applied(here).resources, [
      '../mongo',
      ...expected.map((folder) => `../knative/${folder}`),
    ]);
    const has = (variant: 'service' | 'hpa') => (expected as readonly string[]).includes(variant);
    assert.is(done.stdout.startsWith(leftOut), !installed && VARIANTS.trim() === '');
    assert.is(done.stdout.includes('http://10.0.0.1:31080/data'), has('service'));
    assert.is(done.stdout.includes('http://10.0.0.1:30000/data'), has('hpa'));
    assert.is(done.stdout.includes('Both keep'), has('service') && has('hpa'));
    // nothing is asked about what is not deployed
    const calls = callsOf('kubectl').join('\n');
    assert.is(/services\.serving\.knative\.dev/.test(calls), has('service'));
    assert.is(/deployment|horizontalpod/.test(calls), has('hpa'));
  });
}

for (const VARIANTS of ['knative', 'knative hpa']) {
  test(`deploy: VARIANTS='${VARIANTS}' is refused without Knative`, () => {
    const { deploy, callsOf } = prepare({ kubectl: plain });
    failsWith(
      deploy({ VARIANTS }),
      'Knative Serving is not installed on this cluster: install it (https://knative.dev/docs/install), or deploy with VARIANTS=hpa.',
    );
    assert.not.match(callsOf('kubectl').join('\n'), /create|apply/);
  });
}

test('deploy: an unknown variant', () => {
  failsWith(
    prepare().deploy({ VARIANTS: 'hpa kpa' }),
    `VARIANTS: "kpa" is unknown. Use knative, hpa or both.`,
  );
});

test('deploy: a component of a variant that is not deployed', () => {
  for (const [answers, VARIANTS] of [
    [{}, 'hpa'],
    [plain, ''],
  ] as const) {
    failsWith(
      prepare({ kubectl: answers }).deploy({ VARIANTS, COMPONENTS: 'knative/hpa-class' }),
      "COMPONENTS can't have what changes the Knative Service, as that is not deployed: knative/hpa-class.",
    );
  }
});

test('deploy: without metrics-server, with a note where it matters', () => {
  const note =
    /^metrics-server does not run on this cluster: the HPA is deployed, but it keeps 2 /m;
  for (const [env, told] of [
    [{}, true],
    [{ VARIANTS: 'hpa' }, true],
    [{ VARIANTS: 'knative' }, false],
    [{ VARIANTS: 'knative', COMPONENTS: 'knative/hpa-class' }, true],
  ] as const) {
    for (const answer of [notFound, 'echo "Error (ServiceUnavailable)" >&2; exit 1']) {
      const done = prepare({ kubectl: { [metricsApi]: answer } }).deploy(env);
      succeeds(done);
      assert.is(note.test(done.stdout), told);
    }
  }
  assert.not.match(prepare().deploy().stdout, note);
});

for (const [what, answers, message] of [
  [
    'no kubectl',
    undefined,
    'kubectl is missing: install it, and point its current context at a cluster.',
  ],
  [
    'no context',
    { 'config current-context': 'echo "error: not set" >&2; exit 1' },
    'There is no current kubectl context: choose one with kubectl config use-context.',
  ],
  [
    'a cluster that does not answer',
    { 'version *': 'echo "i/o timeout" >&2; exit 1' },
    'The cluster of the context kind-knative does not answer: start it, or choose another context.\ni/o timeout',
  ],
  [
    'a cluster that does not say whether it has Knative',
    { [knativeApi]: 'echo "Error: EOF" >&2; exit 1' },
    "Can't find out whether the cluster has the API serving.knative.dev/v1: Error: EOF",
  ],
  [
    'no right to make the namespace',
    { 'get namespace *': notFound, 'create --filename -': refused },
    'Error from server (Forbidden): not you\nYou may not create the namespace shop: ask for it to be created, or set NAMESPACE to one that is yours.',
  ],
  ...[
    'secrets',
    'statefulsets.apps',
    'services.serving.knative.dev',
    'deployments.apps',
    'horizontalpodautoscalers.autoscaling',
  ].map((resource) => [
    `no right to create ${resource}`,
    { [`*auth can-i create ${resource}`]: 'echo no; exit 1' },
    `You may not create ${resource} in the namespace shop: ask for a role that may, such as admin.`,
  ]),
  [
    'data without the Secret that opens them',
    { '*get persistentvolumeclaim *': 'echo persistentvolumeclaim/data-mongo-0' },
    'The claim data-mongo-0 has data, but the Secret mongo-root, which opens it, is gone: put it back, or delete the claim.',
  ],
  [
    'no right to read Secrets',
    { '*get secret *': refused },
    'Error from server (Forbidden): not you',
  ],
  [
    'no right to create what is applied',
    { '*apply --kustomize .deploy': refused },
    'Error from server (Forbidden): not you',
  ],
  [
    'users that can not be made',
    { '*exec --stdin *': 'echo "command terminated" >&2; exit 1' },
    'command terminated',
  ],
  [
    'no route to be read',
    { '*get services.serving.knative.dev functions -o *url}*': refused },
    'Error from server (Forbidden): not you',
  ],
] as [string, Answers | undefined, string][]) {
  test(`deploy: ${what}`, () => {
    const { deploy } = prepare({ kubectl: answers });
    failsWith(deploy(), message);
  });
}

const pending = {
  '*rollout status statefulset *': 'exit 1',
  '*get pods -o *waiting.reason*': '',
  '*get services.serving.knative.dev functions -o *False*': '',
  '*get pods -o *Unschedulable*': '',
};

test('deploy: an image that can not be pulled', () => {
  const byPod = (reason: string, image: string) => ({
    '*get pods -o *waiting.reason*': `printf 'Other x\\n${reason} ${image}\\n${reason} other:1\\n'`,
  });
  const byKnative = (image: string) => ({
    '*get services.serving.knative.dev functions -o *False*': `echo 'Unable to fetch image "${image}": failed to resolve'`,
  });
  const push = 'push it with npm run image';
  const otherRegistry = 'see whether the cluster reaches its registry';
  const name = local.replace(`:${tag}`, '');
  const digested = `${name}@sha256:${'0'.repeat(64)}`;
  for (const [answers, image, advice] of [
    [byPod('ImagePullBackOff', local), local, push],
    [byPod('InvalidImageName', local), local, push],
    [byPod('ErrImageNeverPull', local), local, push],
    [byPod('ImagePullBackOff', digested), digested, push],
    [byKnative(local), local, push],
    [byKnative(digested), digested, push],
    [byPod('ImagePullBackOff', 'mongo:8.0'), 'mongo:8.0', otherRegistry],
    [byPod('ImagePullBackOff', 'r.example:5000/a/b:1'), 'r.example:5000/a/b:1', otherRegistry],
  ] as [Answers, string, string][]) {
    const done = prepare({ kubectl: [answers, pending] }).deploy();
    failsWith(done, `The image ${image} can't be pulled: ${advice}.`);
  }
});

for (const [part, answers] of [
  ['MongoDB', {}],
  [
    'the Knative Service',
    {
      '*rollout status statefulset *': '',
      '*get services.serving.knative.dev functions -o *generation}*Ready*': 'printf "4 Unknown"',
    },
  ],
  [
    'the Deployment',
    { '*rollout status statefulset *': '', '*rollout status deployment *': 'exit 1' },
  ],
  [
    'its second replica',
    { '*rollout status statefulset *': '', '*get deployment functions-hpa -o *readyReplicas}': '' },
  ],
] as [string, Answers][]) {
  test(`deploy: ${part} does not come up in time`, () => {
    const cpu = "echo '0/1 nodes are available: 1 Insufficient cpu. preemption: none.'";
    for (const [unschedulable, reason] of [
      ['', ''],
      [cpu, '0/1 nodes are available: 1 Insufficient cpu. '],
    ] as const) {
      const kubectl = [{ '*get pods -o *Unschedulable*': unschedulable }, answers, pending];
      failsWith(
        prepare({ kubectl }).deploy({ WAIT: '0' }),
        `${part} did not come up in 0 s: ${reason}kubectl -n shop get pods,events shows more.`,
      );
    }
  });
}

test('deploy: what comes up later is waited for, though the cluster fails to say what it lacks', () => {
  const kubectl = {
    '*rollout status statefulset *': 'echo . >>"$HERE/tries"; [ $(grep -c . "$HERE/tries") -gt 3 ]',
    '*get pods -o *': refused,
    '*get services.serving.knative.dev functions -o *False*': notFound,
  };
  const { deploy, callsOf } = prepare({ kubectl });
  const done = deploy();
  succeeds(done);
  assert.match(done.stdout, /^waiting for MongoDB \.\.\. \d+ s$/m);
  assert.equal(callsOf('sleep'), ['1', '1', '1']);
});

test('deploy: WAIT is a number', () => {
  failsWith(prepare().deploy({ WAIT: '1m' }), `WAIT can't be "1m": it is a number of seconds.`);
});

test('deploy: addresses that are not found are reported, and left to be filled in', () => {
  for (const kubectl of [
    { '*get service *loadBalancer*': notFound },
    { '*nodePort}': '' },
    { 'get nodes -o *addresses*': refused },
  ]) {
    const done = prepare({ kubectl }).deploy();
    succeeds(done);
    assert.match(done.stderr, /^No address of Knative's ingress was found: set INGRESS_URL/m);
    assert.match(done.stderr, /^No address of the Deployment was found: set NODEPORT_URL/m);
    assert.match(done.stdout, "  curl -H 'Host: functions.shop.example.com' $INGRESS_URL/time\n");
    assert.match(done.stdout, '  curl $NODEPORT_URL/time\n');
    assert.not.match(done.stdout, /http:\/\/:?[0-9]*\//);
  }
});

test('deploy: addresses of other kinds', () => {
  for (const [kubectl, env, ingress, nodeport] of [
    [
      { '*get service *loadBalancer*': 'printf 192.0.2.10' },
      {},
      'http://192.0.2.10',
      'http://192.0.2.10',
    ],
    [
      { 'get nodes -o *addresses*': 'printf "10.0.0.1 fd00::1"' },
      {},
      'http://10.0.0.1:31080',
      'http://10.0.0.1:30000',
    ],
    [
      { 'get nodes -o *addresses*': 'printf fd00::1' },
      {},
      'http://[fd00::1]:31080',
      'http://[fd00::1]:30000',
    ],
    [
      {
        '*kourier-system get service *': notFound,
        '*istio-system get service *': notFound,
        '*contour-external get service envoy *loadBalancer*': 'printf lb.example',
      },
      {},
      'http://lb.example',
      'http://10.0.0.1:30000',
    ],
    [
      { '*get service *': notFound },
      { INGRESS_URL: 'http://127.0.0.1', NODEPORT_URL: 'http://127.0.0.1:81' },
      'http://127.0.0.1',
      'http://127.0.0.1:81',
    ],
  ] as const) {
    const done = prepare({ kubectl }).deploy(env);
    succeeds(done);
    assert.is(done.stderr, '');
    assert.match(done.stdout, `.example.com' ${ingress}/time\n`);
    assert.match(done.stdout, `curl ${nodeport}/time\n`);
  }
});

test('deploy: without kn, or with one that fails', () => {
  for (const kn of [undefined, { 'service describe *': 'exit 1' }]) {
    const done = prepare({ kn }).deploy();
    succeeds(done);
    assert.match(done.stdout, 'Both keep the same documents.');
  }
});

/** Where the Secret mongo-tls can be made. */
const certificate: Answers = {
  '--namespace shop create --filename -': 'cat >"$HERE/certificate.yaml"',
};

test("deploy: with mongo/tls, MongoDB's certificate is made first", () => {
  const { deploy, callsOf, read } = prepare({ kubectl: certificate });
  succeeds(deploy({ COMPONENTS: 'mongo/tls' }));
  assert.equal((loadYaml(read('certificate.yaml')) as { stringData: object }).stringData, {
    'ca.crt': 'CERTIFICATE\n',
    'tls-combined.pem': 'KEY\nCERTIFICATE\n',
  });
  const calls = callsOf('kubectl');
  const made = calls.indexOf('--namespace shop create --filename -');
  assert.ok(made < calls.indexOf('--namespace shop apply --kustomize .deploy'));
  for (const call of callsOf('openssl')) assert.not.match(call, 'KEY');
});

test("deploy: MongoDB's certificate is made once, and only where it is wanted", () => {
  const there = { '*get secret mongo-tls --ignore-not-found*': 'echo secret/mongo-tls' };
  for (const [kubectl, env] of [
    [there, { COMPONENTS: 'mongo/tls' }],
    [{}, {}],
  ] as const) {
    const { deploy, callsOf } = prepare({ kubectl, openssl: undefined });
    succeeds(deploy(env));
    assert.not.match(callsOf('kubectl').join('\n'), 'shop create');
  }
});

test('deploy: with mongo/tls, but without openssl', () => {
  failsWith(
    prepare({ openssl: undefined }).deploy({ COMPONENTS: 'mongo/tls' }),
    'openssl is missing: install it, or make the Secret mongo-tls yourself, as docs/operations.md says.',
  );
});

test('secrets: made once, with random passwords that stand in no argument', () => {
  const { secrets, read, calls } = prepare();
  succeeds(secrets());
  const passwords = [...read('secrets.yaml').matchAll(/password: "([0-9a-f]{48})"/g)].map(
    ([, password]) => password as string,
  );
  assert.is(new Set(passwords).size, 2);
  for (const password of passwords) assert.not.match(calls().join('\n'), password);
  const names = [...read('secrets.yaml').matchAll(/name: (mongo-\w+)/g)].map(([, name]) => name);
  assert.equal(names, ['mongo-root', 'mongo-app']);
});

test('secrets: one that is there stays', () => {
  for (const [there, made] of [
    ['mongo-*', ''],
    ['mongo-root', 'name: mongo-app'],
    ['mongo-app', 'name: mongo-root'],
  ] as const) {
    const { secrets, read } = prepare({
      kubectl: { [`*get secret ${there} --ignore-not-found*`]: 'echo secret/x' },
    });
    succeeds(secrets());
    assert.is(
      read('secrets.yaml')
        .match(/name: mongo-\w+/g)
        ?.join() ?? '',
      made,
    );
  }
});

test('secrets: none is made where the cluster does not say what is there', () => {
  for (const what of ['persistentvolumeclaim', 'secret']) {
    const { secrets, read } = prepare({ kubectl: { [`*get ${what} *`]: refused } });
    failsWith(secrets(), 'Error from server (Forbidden): not you');
    assert.is(read('secrets.yaml'), '');
  }
});

test('secrets: one that can not be made', () => {
  failsWith(prepare({ kubectl: { 'create *': refused } }).secrets(), /Forbidden/);
});

const removal: Answers = { '*delete *': '' };
const kinds =
  'statefulset,deployment,horizontalpodautoscaler,poddisruptionbudget,cronjob,job,service,networkpolicy,configmap,serviceaccount,role,rolebinding';
const part = '--selector app.kubernetes.io/part-of=functions-on-knative';

for (const [what, answers, deleted] of [
  ['with Knative', {}, `services.serving.knative.dev,${kinds}`],
  ['without Knative', plain, kinds],
  [
    "with Percona's operator",
    { ...plain, [operatorApi]: '' },
    `perconaservermongodbs.psmdb.percona.com,${kinds}`,
  ],
] as const) {
  test(`undeploy: on a cluster ${what}`, () => {
    const { undeploy, callsOf } = prepare({ kubectl: [answers, removal] });
    const done = undeploy();
    succeeds(done);
    assert.is(
      done.stdout,
      'The data, the Secrets and the namespace shop are kept; npm run undeploy -- --all removes them.\n',
    );
    const deletions = callsOf('kubectl').filter((call) => call.includes('delete'));
    assert.equal(deletions, [`--namespace shop delete ${deleted} ${part} --ignore-not-found`]);
  });
}

test('undeploy --all: the data, their Secrets and the namespace too', () => {
  const { undeploy, callsOf } = prepare({ kubectl: removal });
  succeeds(undeploy(['--all']));
  assert.equal(callsOf('kubectl').slice(-4), [
    '--namespace shop delete persistentvolumeclaim/data-mongo-0 persistentvolumeclaim/mongo-backup secret/mongo-root secret/mongo-app secret/mongo-tls --ignore-not-found',
    '--namespace shop delete persistentvolumeclaim --selector app.kubernetes.io/instance=mongo-rs --ignore-not-found',
    '--namespace shop delete secret/mongo-rs-secrets secret/internal-mongo-rs-users secret/mongo-rs-custom-user-secret secret/mongo-rs-mongodb-encryption-key --ignore-not-found',
    `delete namespace ${part} --field-selector metadata.name=shop --ignore-not-found`,
  ]);
});

test('undeploy: what it refuses, and what fails', () => {
  const { undeploy, calls } = prepare();
  for (const args of [['all'], ['--all', '--force']])
    failsWith(undeploy(args), 'usage: npm run undeploy [-- --all]');
  assert.not.match(calls().join('\n'), 'kubectl');

  const silent = prepare({ kubectl: { [knativeApi]: 'echo EOF >&2; exit 1', ...removal } });
  failsWith(silent.undeploy(['--all']), /find out whether the cluster has the API serving/);
  assert.not.match(silent.calls().join('\n'), 'delete');

  failsWith(prepare({ kubectl: { '*delete *': refused } }).undeploy(), /Forbidden/);
  failsWith(prepare({ kubectl: undefined }).undeploy(), /^kubectl is missing/);
});

/** What a rotation asks of a cluster where both variants are deployed. */
const rotation: Answers = {
  '*get secret mongo-app': '',
  '*patch secret mongo-app --type merge --patch-file /dev/stdin': 'cat >"$HERE/secret.json"',
  '*get services.serving.knative.dev/functions --ignore-not-found *': 'echo functions',
  '*get deployment/functions-hpa --ignore-not-found *': 'echo functions-hpa',
  '*get pods --selector serving*': 'printf "pod/k-1\\npod/k-2\\n"',
  '*get pods --selector app*': 'printf "pod/h-1\\npod/h-2\\n"',
  '*patch services.serving.knative.dev functions --type merge --patch {*restartedAt*': '',
  '*rollout restart deployment functions-hpa': '',
  '*wait --for delete *': '',
};
const rollOutKnative = [
  '--namespace shop patch services.serving.knative.dev',
  '--namespace shop wait --for delete --timeout 300s pod/k-1 pod/k-2',
];
const rollOutHpa = [
  '--namespace shop rollout restart deployment functions-hpa',
  '--namespace shop wait --for delete --timeout 300s pod/h-1 pod/h-2',
];

for (const [what, answers, rolledOut] of [
  ['both variants', {}, [...rollOutKnative, ...rollOutHpa]],
  ['the Deployment, on a cluster without Knative', plain, rollOutHpa],
  [
    'the Deployment, on a cluster with Knative',
    { '*get services.serving.knative.dev/functions --ignore-not-found *': '' },
    rollOutHpa,
  ],
  [
    'the Knative Service',
    { '*get deployment/functions-hpa --ignore-not-found *': '' },
    rollOutKnative,
  ],
] as [string, Answers, string[]][]) {
  test(`rotate: ${what}`, () => {
    const { rotate, callsOf, calls, read } = prepare({ kubectl: [answers, rotation] });
    succeeds(rotate());

    const { username, password } = JSON.parse(read('secret.json')).stringData;
    assert.match(username, /^app-\d{14}$/);
    assert.match(password, /^[0-9a-f]{48}$/);
    const [made, dropped] = read('mongosh.js').split('admin.getUsers()');
    assert.match(made as string, `user: '${username}',\n    pwd: '${password}'`);
    assert.match(dropped as string, `user === '${username}'`);
    // neither as it is nor encoded
    for (const secret of [password, Buffer.from(password).toString('base64')])
      assert.not.match(calls().join('\n'), secret);

    const steps = callsOf('kubectl').filter((call) => /patch serv|restart|wait/.test(call));
    assert.is(steps.length, rolledOut.length);
    for (const [i, step] of rolledOut.entries()) assert.ok(steps[i]?.startsWith(step), steps[i]);
  });
}

for (const [what, answers, message, patched] of [
  ['without the Secret', { '*get secret mongo-app': notFound }, /NotFound/, false],
  ['MongoDB refuses', { '*exec *': 'echo refused >&2; exit 1' }, 'refused', false],
  ['the Secret can not be changed', { '*patch secret *': refused }, /Forbidden/, false],
  [
    'the cluster does not say whether it has Knative',
    { [knativeApi]: 'echo EOF >&2; exit 1' },
    /find out whether the cluster has the API/,
    true,
  ],
  [
    'the cluster does not say what is deployed',
    { '*get deployment/functions-hpa --ignore-not-found *': refused },
    /Can't find out whether the variant hpa is deployed/,
    true,
  ],
  ['pods can not be listed', { '*get pods *': refused }, /Forbidden/, true],
  ['the Service can not be changed', { '*patch services.*': refused }, /Forbidden/, true],
  ['the Deployment can not be restarted', { '*rollout restart *': refused }, /Forbidden/, true],
  ['old pods stay', { '*wait *': 'echo "timed out" >&2; exit 1' }, 'timed out', true],
] as [string, Answers, string | RegExp, boolean][]) {
  test(`rotate: ${what}: no user is dropped`, () => {
    const { rotate, read } = prepare({ kubectl: [answers, rotation] });
    failsWith(rotate(), message);
    assert.not.match(read('mongosh.js'), 'dropUser');
    assert.is(read('secret.json') !== '', patched);
  });
}

test('a variant without pods is rolled out without waiting for any', () => {
  const { shell, callsOf } = prepare({ kubectl: [{ '*get pods --selector *': '' }, rotation] });
  const done = shell('. knative/deploy/lib.sh; roll_out knative; roll_out hpa');
  succeeds(done);
  assert.is(done.stdout, 'rolled out the variant knative\nrolled out the variant hpa\n');
  assert.not.match(callsOf('kubectl').join('\n'), ' wait ');
});

test('what a roll-out fails at is not lost where it stands in a condition', () => {
  for (const answer of ['*get pods *', '*patch *', '*wait *']) {
    const { shell } = prepare({ kubectl: [{ [answer]: refused }, rotation] });
    assert.is(
      shell('. knative/deploy/lib.sh; if roll_out knative; then exit 0; fi; exit 9').code,
      9,
    );
  }
});

test.run();
