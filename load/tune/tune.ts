import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { apps, core, emptyCollection, findVariants, namespace, shell } from '../shared/cluster';
import { findK6, k6VersionOf } from '../shared/k6';
import { percentile } from '../shared/k6-samples';
import { sample } from '../shared/run-and-read';
import { readSetup } from '../shared/setup';
import { findKnee, type Step } from './knee';
import { tuneReport } from './tune-report';

// `npm run tune`: how many requests at once one replica is good for, by rising their number step by
// step on a pod of its own, made as the Deployment's are.
const name = 'functions-tune';
const p95 = Number(process.env.P95_MS || 500);
const soak = { DURATION: process.env.DURATION || '10s', MIX: process.env.MIX || '17:2:1' };
const steps = process.env.STEPS || '1 2 4 6 8 12 16 24 32 48 64 96 128';
const concurrencies = steps.split(' ').map(Number);

async function tune(): Promise<Step[]> {
  const k6 = await findK6(say);
  await findVariants();
  await remove();
  try {
    const url = await start();
    await emptyCollection();
    await step(k6, url, 8); // the first requests find everything cold
    // up and down again, so that what drifts meanwhile evens out
    const done: Step[] = [];
    for (const concurrency of [...concurrencies, ...concurrencies.toReversed()]) {
      done.push(await step(k6, url, concurrency));
      say(told(done.at(-1) as Step));
    }
    return concurrencies.map((_, i) => mean(done[i] as Step, done.at(-1 - i) as Step));
  } finally {
    await remove();
  }
}

/** Runs soak.js with so many clients, each of which has one request under way. */
async function step(k6: string, url: string, concurrency: number): Promise<Step> {
  const settings = { BASE_URL: url, HOST: '', CLIENTS: `${concurrency}`, ...soak };
  const { requests } = await sample(k6, 'soak.js', settings);
  const answered = requests.filter((request) => request.answered);
  const durations = answered.map(({ duration }) => duration);
  const begin = requests[0]?.start ?? 0;
  const end = requests.reduce(
    (last, { start, duration }) => Math.max(last, start + duration),
    begin,
  );
  return {
    concurrency,
    throughput: answered.length / ((end - begin) / 1000),
    p95: percentile(durations, 95) ?? Number.POSITIVE_INFINITY,
    failed: 1 - answered.length / requests.length,
  };
}

function told({ concurrency, throughput, p95, failed }: Step): string {
  const rate = `${throughput.toFixed(0)} requests/s, p95 ${p95.toFixed(0)} ms`;
  return `${concurrency} under way: ${rate}, ${(failed * 100).toFixed(1)} % failed`;
}

function mean(a: Step, b: Step): Step {
  const of = (key: keyof Step) => (a[key] + b[key]) / 2;
  return {
    concurrency: a.concurrency,
    throughput: of('throughput'),
    p95: of('p95'),
    failed: of('failed'),
  };
}

/** Starts the pod and waits until it is ready. @returns its URL */
async function start(): Promise<string> {
  say(`starting the pod ${name}, as the Deployment functions-hpa would`);
  const deployment = await apps.readNamespacedDeployment({ name: 'functions-hpa', namespace });
  const { metadata, spec } = deployment.spec?.template ?? {};
  const labels = { ...metadata?.labels, 'app.kubernetes.io/name': name };
  const pod: V1Pod = { metadata: { name, labels }, ...(spec && { spec }) };
  const service: V1Service = {
    metadata: { name, labels },
    spec: {
      type: 'NodePort',
      selector: { 'app.kubernetes.io/name': name },
      ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    },
  };
  await core.createNamespacedPod({ namespace, body: pod });
  await core.createNamespacedService({ namespace, body: service });
  await shell(`k wait --for condition=Ready pod/${name} --timeout 120s`);
  const [address] = await shell(`service_address "$NAMESPACE" ${name}`);
  await sleep(2000); // until every node knows the port
  return `http://${address}`;
}

/** Removes the pod and its port, if they are there. */
async function remove(): Promise<void> {
  await shell(`k delete pod,service ${name} --ignore-not-found`);
}

function say(line: string): void {
  console.error(line);
}

// Ctrl-C ends k6 or kubectl, which ends this, but not before the pod is removed.
process.on('SIGINT', () => {});

async function main(): Promise<void> {
  const steps = await tune();
  const knee = findKnee(steps, p95);
  const folder = join(__dirname, 'report');
  const file = join(folder, 'tune.html');
  await mkdir(folder, { recursive: true });
  const measured = {
    date: new Date().toISOString(),
    k6: await k6VersionOf(await findK6(say)),
    setup: await readSetup(),
    settings: { ...soak, P95_MS: `${p95}` },
    steps,
    knee,
  };
  await writeFile(file, tuneReport(measured));
  await writeFile(join(folder, 'tune.json'), `${JSON.stringify(measured)}\n`);
  console.log(`
For knative/service/service.yaml:

  autoscaling.knative.dev/target: "${knee.target}"   # the fewest at once that bring 90 % of the throughput
  containerConcurrency: ${knee.limit}   # the most tried of which 95 % are answered within ${p95} ms

The plot is ${file}.`);
}

main().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
