import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Ledger, startLedger, type Verdict } from '../../load/chaos/ledger';
import { fromService } from '../../load/chaos/readers';
import { byHand } from '../deploy/by-hand';

// The whole of it on the cluster of the current context, in a namespace of its own that is deleted
// before and after. IMAGE names an image that is pushed already; without, one is built and pushed.
const namespace = process.env.NAMESPACE ?? 'functions-e2e';
const env: NodeJS.ProcessEnv = { ...process.env, NAMESPACE: namespace };
/** Where the last step deploys by hand. */
const handmade = `${namespace}-by-hand`;

interface Variant {
  name: 'knative' | 'hpa';
  url: string;
  /** The Host header by which the ingress knows the Knative route. */
  host?: string;
  selector: string;
}

const seen: { what: string; result: string; seconds: number }[] = [];
const variants: Variant[] = [];
const test = suite('end to end');

/** One step: what it returns stands in the table. The first that fails ends the run. */
function step(what: string, run: () => Promise<string>): void {
  test(what, async () => {
    assert.not(
      seen.some(({ result }) => result.startsWith('FAILED')),
      'an earlier step failed',
    );
    const begin = performance.now();
    const seconds = () => Math.round((performance.now() - begin) / 100) / 10;
    try {
      seen.push({ what, result: await run(), seconds: seconds() });
    } catch (error) {
      seen.push({ what, result: `FAILED: ${(error as Error).message}`, seconds: seconds() });
      throw error;
    }
  });
}

step('deployed, Pod Security Standard restricted enforced', async () => {
  await kubectl('delete', 'namespace', namespace, '--ignore-not-found');
  await kubectl('create', 'namespace', namespace);
  await kubectl(
    ...['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'],
  );
  if (!process.env.IMAGE)
    env.IMAGE = (await run('knative/deploy/image.sh')).trim().split('\n').at(-1);
  await run('knative/deploy/deploy.sh');
  const [ingress, host, nodeport] = (
    await run('bash', '-c', '. knative/deploy/lib.sh; ingress_url; route_host; nodeport_url')
  ).split('\n') as [string, string, string];
  variants.push(
    { name: 'knative', url: ingress, host, selector: 'serving.knative.dev/service=functions' },
    { name: 'hpa', url: nodeport, selector: 'app.kubernetes.io/name=functions-hpa' },
  );
  await probePod('probe', { 'mongo-client': 'true' });
  await probePod('stranger', {});
  return `${ingress} for ${host}, and ${nodeport}`;
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

step('each variant answers, and reads what the other wrote', async () => {
  for (const variant of variants) {
    assert.match((await ask(variant, '/time')).time, /Z$/);
    const { id } = await ask(variant, '/data', { by: variant.name });
    for (const other of variants) {
      assert.equal((await ask(other, `/data/${id}`)).data, { by: variant.name });
    }
  }
  return 'yes';
});

step("the cluster's DNS knows both names of the database", async () => {
  const names = ['mongo-service', 'mongo-0.mongo'].map(
    (n) => `${n}.${namespace}.svc.cluster.local`,
  );
  const addresses = await Promise.all(
    names.map((name) =>
      inPod('probe', 'getent', 'hosts', name).then((line) => line.split(/\s+/)[0]),
    ),
  );
  return addresses.join(', ');
});

step('a wrong password is refused', async () => {
  const refused = await mongosh("connect('mongodb://app:wrong@mongo-service/admin').hello()").then(
    () => 'accepted',
    (error: Error) => error.message,
  );
  assert.match(refused, /Authentication failed/i);
  return 'Authentication failed';
});

step("the application's user has no other database", async () => {
  await mongosh(`${connectAsApp} db.documents.findOne()`);
  return mongosh(`${connectAsApp} db.getSiblingDB('other').documents.findOne()`).then(
    () => 'not enforced by this database',
    (error: Error) => {
      assert.match(error.message, /not authorized/);
      return 'not authorized';
    },
  );
});

step("the application's user was dropped: deploying again makes it anew", async () => {
  await asRoot("admin.dropUser(readFileSync('/run/secrets/app/username', 'utf8'))");
  const refused = await mongosh(connectAsApp).catch(String);
  assert.match(refused, /Authentication failed/i);
  const output = await run('knative/deploy/deploy.sh');
  assert.match(output, 'made the user app, who was missing');
  await mongosh(connectAsApp);
  for (const variant of variants) await ask(variant, '/data', { by: variant.name });
  return 'both variants store documents';
});

step('a pod without the label reaches no database', async () => {
  const connect = ['timeout', '5', 'bash', '-c', '</dev/tcp/mongo-service/27017'];
  await inPod('probe', ...connect);
  return inPod('stranger', ...connect).then(
    () => 'not enforced by this cluster',
    () => 'no connection',
  );
});

step('the pod mongo-0 deleted five times in a row, without a failed request', async () => {
  let seen = '';
  const survived = await survives(async () => {
    seen = await withoutFailure({ RATE: '30', VUS: '300' }, async () => {
      for (let i = 0; i < 5; i++) await restartMongo();
    });
  });
  return `${seen}; ${survived}`;
});

step('a document survives the deletion of the StatefulSet', async () => {
  return survives(async () => {
    await kubectl('delete', 'statefulset', 'mongo');
    await kubectl('wait', '--for', 'delete', 'pod/mongo-0', '--timeout', '120s');
    await run('knative/deploy/deploy.sh');
  });
});

step('replicas deleted and evicted, and mongo-0 deleted: each post is acknowledged', async () => {
  const { outcomes, ...verdict } = await keepsItsWord(async () => {
    const old: string[] = [];
    for (const end of [remove, evict]) {
      const pods = await Promise.all(variants.map(async (variant) => (await podsOf(variant))[0]));
      await Promise.all(pods.map((pod) => end(pod as string)));
      old.push(...(pods as string[]));
      for (const variant of variants) await becomesReady(variant);
    }
    await restartMongo();
    await kubectl('wait', '--for', 'delete', ...old, '--timeout', '180s');
  });
  assert.equal(
    outcomes.map(({ outcome }) => outcome),
    ['201'],
    JSON.stringify(outcomes),
  );
  return account(verdict);
});

step('replicas and mongo-0 out of memory: what was acknowledged is there, once', async () => {
  const { outcomes, ...verdict } = await keepsItsWord(async (ledger) => {
    await exhaustMemory('pod/mongo-0', 'mongo');
    await kubectl('wait', '--for', 'condition=Ready', 'pod/mongo-0', '--timeout', '120s');
    for (const variant of variants) {
      const [pod] = await podsOf(variant);
      // behind an ingress clients get a 502, without one their connections are cut
      if (!variant.host) ledger.excuse(variant);
      await exhaustMemory(pod as string, 'functions');
      await becomesReady(variant);
    }
  });
  const others = outcomes.filter(({ outcome }) => outcome !== '201');
  const ends = others.map(({ outcome, posts }) => `${posts} × ${outcome}`).join(', ');
  return `${account(verdict)}; posts not acknowledged: ${ends || 'none'}`;
});

step('the HPA goes from 2 to 5 and back', async () => {
  const [, hpa] = variants as [Variant, Variant];
  const usage = () =>
    kubectl(
      'get',
      'hpa',
      'functions-hpa',
      '-o',
      `jsonpath={.status.currentMetrics[0].resource.current.averageUtilization}`,
    );
  let most = 0;
  // mostly what costs CPU
  const times = await scales(hpa, { CLIENTS: '100', MIX: '20:1:0' }, async () => {
    most = Math.max(most, Number(await usage()));
  });
  assert.ok(most > 70, `CPU was at ${most} % at most`);
  return `${times}; CPU up to ${most} % of the request`;
});

step('the Knative Service goes from 2 to 5 and back', async () => {
  const [knative] = variants as [Variant, Variant];
  // mostly what waits for the database
  const times = await scales(knative, { CLIENTS: '200', MIX: '0:1:0' });
  const described = await run('kn', 'service', 'describe', 'functions', '-v', '-n', namespace);
  const scale = /Scale: +(.*)/.exec(described)?.[1];
  assert.is(scale, '2 ... 5');
  return `${times}; kn says Scale: ${scale}`;
});

step('rollouts and a rotation of the password, without a failed request', async () => {
  return withoutFailure({ RATE: '20' }, async () => {
    await sleep(3000);
    await run('bash', '-c', '. knative/deploy/lib.sh; roll_out knative; roll_out hpa');
    await run('mongo/rotate.sh');
    await sleep(3000);
  });
});

step('undeployed: the data and its Secrets stay', async () => {
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
  const inNamespace = (script: string) =>
    run(
      ...(['env', '-u', 'NODEPORT_URL', `NAMESPACE=${handmade}`] as const),
      ...['bash', '-euo', 'pipefail', '-c', script],
    );
  await kubectl('delete', 'namespace', handmade, '--ignore-not-found');
  await inNamespace(deployment + knative);
  const [ingress, host, nodeport] = (
    await inNamespace('. knative/deploy/lib.sh; ingress_url; route_host; nodeport_url')
  ).split('\n') as [string, string, string];
  const [first, second] = variants as [Variant, Variant];
  const { id } = await ask({ ...first, url: ingress, host }, '/data', { by: 'hand' });
  const read = await ask({ ...second, url: nodeport }, `/data/${id}`);
  assert.equal(read.data, { by: 'hand' });
  return 'the Deployment reads what the Knative Service wrote';
});

test.after(async () => {
  console.log(`\n${table()}\n`);
  if (seen.some(({ result }) => result.startsWith('FAILED'))) await keepEvidence();
  await kubectl('delete', 'namespace', namespace, handmade, '--ignore-not-found', '--wait=false');
});

test.run();

function table(): string {
  const width = Math.max(...seen.map(({ what }) => what.length));
  return seen
    .map(
      ({ what, result, seconds }) =>
        `${what.padEnd(width)}  ${String(seconds).padStart(6)} s  ${result}`,
    )
    .join('\n');
}

async function keepEvidence(): Promise<void> {
  mkdirSync('.e2e', { recursive: true });
  const keep = async (file: string, ...args: string[]) =>
    writeFileSync(`.e2e/${file}`, await kubectl(...args).catch(String));
  await keep('objects.txt', 'get', 'all,ksvc,podautoscaler,pvc', '-o', 'wide');
  await keep('events.txt', 'get', 'events', '--sort-by', '.lastTimestamp');
  for (const pod of (await kubectl('get', 'pods', '-o', 'name')).trim().split('\n')) {
    await keep(`${pod.replace('pod/', '')}.log`, 'logs', pod, '--all-containers', '--tail=2000');
  }
  console.log('Logs, objects and events are in .e2e/');
}

/** Runs a program to its end and returns its output. */
async function run(command: string, ...args: string[]): Promise<string> {
  const options = { env, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)(command, args, options).catch((error) => {
    throw new Error(
      `${command} ${args.join(' ')}: ${error.stderr || error.stdout || error.message}`,
    );
  });
  return stdout;
}

function kubectl(...args: string[]): Promise<string> {
  return run('kubectl', '--namespace', namespace, ...args);
}

function inPod(pod: string, ...command: string[]): Promise<string> {
  return kubectl('exec', pod, '--', ...command);
}

/** For `mongosh`: connects as the service does. */
const connectAsApp = `const { readFileSync } = require('node:fs');
  const secret = (key) => readFileSync('/run/secrets/app/' + key, 'utf8');
  const db = connect('mongodb://' + secret('username') + ':' + secret('password') +
    '@mongo-service/functions?authSource=admin');`;

function mongosh(script: string): Promise<string> {
  return inPod(
    'probe',
    'env',
    'HOME=/tmp',
    'mongosh',
    '--quiet',
    '--norc',
    '--nodb',
    '--eval',
    script,
  );
}

/** Runs a script of mongosh as root, in the pod of the database. */
function asRoot(script: string): Promise<string> {
  const file = "const { readFileSync } = require('node:fs');";
  return run('bash', '-c', '. knative/deploy/lib.sh && mongosh "$1"', 'bash', `${file} ${script}`);
}

/** A pod with mongosh and the application's credentials that does nothing by itself. */
async function probePod(name: string, labels: Record<string, string>): Promise<void> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 999,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name,
          image: 'mongo:8.0',
          command: ['sleep', 'infinity'],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: 'app', mountPath: '/run/secrets/app' }],
        },
      ],
      volumes: [{ name: 'app', secret: { secretName: 'mongo-app' } }],
    },
  };
  await run('bash', '-c', `kubectl -n "$NAMESPACE" create -f - <<<'${JSON.stringify(manifest)}'`);
  await kubectl('wait', '--for', 'condition=Ready', `pod/${name}`, '--timeout', '120s');
}

/** Asks a variant as curl would; a body makes it a post. */
async function ask({ url, host }: Variant, path: string, body?: unknown) {
  const args = ['-sS', '--fail-with-body', '--max-time', '20', url + path];
  if (host) args.push('-H', `Host: ${host}`);
  if (body) args.push('-H', 'Content-Type: application/json', '-d', JSON.stringify(body));
  return JSON.parse(await run('curl', ...args));
}

async function survives(disaster: () => Promise<unknown>): Promise<string> {
  const [writer, reader] = variants as [Variant, Variant];
  const { id } = await ask(writer, '/data', { test: 'persistence' });
  await disaster();
  await kubectl('rollout', 'status', 'statefulset', 'mongo', '--timeout', '180s');
  for (const variant of [writer, reader]) {
    const read = await until(() => ask(variant, `/data/${id}`));
    assert.equal(read.data, { test: 'persistence' });
  }
  return `${id} is there`;
}

async function until<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 60) throw error;
      await sleep(1000);
    }
  }
}

async function restartMongo(): Promise<void> {
  await kubectl('delete', 'pod', 'mongo-0');
  await kubectl('rollout', 'status', 'statefulset', 'mongo', '--timeout', '180s');
}

/** @returns names such as `pod/functions-hpa-5c4-x2`, of those that shall stay */
async function podsOf({ selector }: Variant): Promise<string[]> {
  const json = await kubectl('get', 'pods', '-l', selector, '-o', 'json');
  const { items } = JSON.parse(json) as { items: { metadata: Record<string, string> }[] };
  return items
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ metadata }) => `pod/${metadata.name}`);
}

/** Waits until all pods of a variant that shall stay are ready, and they are two or more. */
async function becomesReady(variant: Variant): Promise<void> {
  await until(async () => {
    const pods = await podsOf(variant);
    assert.ok(pods.length >= 2);
    await kubectl('wait', '--for', 'condition=Ready', ...pods, '--timeout', '120s');
  });
}

function remove(pod: string): Promise<string> {
  return kubectl('delete', pod, '--wait=false');
}

/** As `kubectl drain` does. */
function evict(pod: string): Promise<string> {
  const name = pod.replace('pod/', '');
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  const script = `kubectl create --raw ${path} -f - <<<'${JSON.stringify(eviction)}'`;
  return run('bash', '-c', script);
}

/**
 * Takes all the memory that a container may have, in processes so small that the largest, which the
 * kernel kills, is the container's own.
 */
async function exhaustMemory(pod: string, container: string): Promise<void> {
  const hogs = 'for _ in $(seq 40); do tail /dev/zero & done; wait';
  await kubectl('exec', pod, '-c', container, '--', 'sh', '-c', hogs).catch(() => {});
  const status = `.status.containerStatuses[?(@.name=="${container}")]`;
  const reason = await until(async () => {
    const path = `jsonpath={${status}.lastState.terminated.reason}`;
    const reason = await kubectl('get', pod, '-o', path);
    assert.ok(reason, `${pod} did not end`);
    return reason;
  });
  assert.is(reason, 'OOMKilled');
}

/** Has clients post to both variants while something happens, and looks what has become of it. */
async function keepsItsWord(happens: (ledger: Ledger) => Promise<void>): Promise<Verdict> {
  await asRoot('admin.getSiblingDB(process.env.MONGO_DATABASE).documents.deleteMany({})');
  const ledger = startLedger({ targets: variants, writers: 8, pauseMs: 200 });
  try {
    await sleep(2000);
    await happens(ledger);
    await sleep(2000);
  } finally {
    await ledger.stop();
  }
  const verdict = await ledger.compare(fromService(variants[0] as Variant));
  assert.equal(verdict.failures, [], JSON.stringify(verdict, null, 1));
  return verdict;
}

function account({
  acknowledged,
  documents,
  longestGapMs,
}: Pick<Verdict, 'acknowledged' | 'documents' | 'longestGapMs'>): string {
  const gaps = Object.entries(longestGapMs).map(([name, ms]) => `${name} ${ms} ms`);
  return `${acknowledged} of ${documents} acknowledged, all stored once; longest wait for a 201: ${gaps.join(', ')}`;
}

/** Puts load on both variants while something happens. No request may fail. */
async function withoutFailure(
  settings: Record<string, string>,
  happens: () => Promise<void>,
): Promise<string> {
  const loads = variants.map((variant) => load(variant, { ...settings, DURATION: '600s' }));
  try {
    await happens();
  } finally {
    for (const { child } of loads) child.kill('SIGINT');
  }
  const ends = await Promise.all(loads.map(({ done }) => done));
  return ends
    .map((end, i) => {
      assertServed(end);
      return `${variants[i]?.name}: ${end.requests} requests, 0 failed, the longest ${end.longest}`;
    })
    .join('; ');
}

function assertServed({ requests, failed, wrong, output }: Loaded): void {
  assert.ok(requests > 0 && failed === 0 && wrong === 0, output);
}

function readyPods({ selector }: Variant): Promise<number> {
  const ready = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  return kubectl(
    ...['get', 'pods', '-l', selector, '--field-selector', 'status.phase=Running'],
    ...['-o', `jsonpath=${ready}`],
  ).then((lines) => lines.split('\n').filter((line) => line === 'True').length);
}

/** Puts load on a variant from its settled 2 replicas until it has 5, then waits until it has 2. */
async function scales(
  variant: Variant,
  settings: Record<string, string>,
  watch: () => Promise<void> = async () => {},
): Promise<string> {
  const becomes = async (count: number, limit: number) => {
    const begin = Date.now();
    for (;;) {
      await watch();
      const ready = await readyPods(variant);
      if (ready === count) return Math.round((Date.now() - begin) / 1000);
      const waited = (Date.now() - begin) / 1000;
      assert.ok(waited < limit, `${ready} replicas ${limit} s later, not ${count}`);
      await sleep(1000);
    }
  };
  await becomes(2, 180);
  const { child, done } = load(variant, { ...settings, DURATION: '240s' });
  let up: number;
  try {
    up = await becomes(5, 240);
  } finally {
    child.kill('SIGINT');
  }
  const loaded = await done;
  assertServed(loaded);
  const down = await becomes(2, 300);
  return `5 replicas after ${up} s, 2 again ${down} s after the load; ${loaded.requests} requests, 0 failed`;
}

/** What k6 says when it has ended. */
interface Loaded {
  requests: number;
  failed: number;
  /** Checks of answers that failed. */
  wrong: number;
  /** The time of the slowest request, such as `1.2s`. */
  longest: string;
  output: string;
}

/** Runs load/soak.js with k6 on a variant, until it ends or is interrupted. */
function load({ url, host }: Variant, settings: Record<string, string>) {
  const child = spawn(
    'k6',
    ['run', '--quiet', '--no-usage-report', '--summary-mode=full', 'load/soak.js'],
    { env: { ...env, ...settings, BASE_URL: url, HOST: host ?? '' } },
  );
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const find = (pattern: RegExp) => pattern.exec(output)?.slice(1) ?? [];
  const done = once(child, 'close').then((): Loaded => {
    const [failed, requests] = find(/http_req_failed\.*: [\d.]+% +(\d+) out of (\d+)/);
    const [wrong] = find(/checks_failed\.*: [\d.]+% +(\d+) out of/);
    const [longest = '?'] = find(/http_req_duration\.*:.* max=(\S+)/);
    return {
      requests: Number(requests),
      failed: Number(failed),
      wrong: Number(wrong),
      longest,
      output,
    };
  });
  return { child, done };
}
