import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { core, emptyCollection, findVariants, namespace, shell } from '../common/cluster';
import { type Deployed, readDeployed } from '../common/deployed';
import { exitAfter } from '../common/exit';
import { interruption } from '../common/interruption';
import { findK6, k6VersionOf } from '../common/k6';
import { chooseKinds, type LoadKind } from '../common/loads';
import { sample } from '../common/run-and-read';
import { deploySlowDatabase, removeSlowDatabase, withSlowDatabase } from '../common/slow-database';
import { percentile } from '../common/statistics';
import { readTestEnvironment } from '../common/test-environment';
import { findKnee, lowestOf, type Step } from './knee';
import { type LoadTuning, type Tuning, tuneReport } from './tune-report';

// `npm run tune`: finds the concurrency that one replica can handle under each kind of load, by raising it
// step by step on a separate pod with the Deployment's template. With the argument `report` it only makes
// the report again, from the last results.
const name = 'functions-tune';
const maxP95 = Number(process.env.P95_MS || 500);
const duration = process.env.DURATION || '10s';
const stepList = process.env.STEPS || '1 2 4 6 8 12 16 24 32 48 64 96 128';
const concurrencies = stepList.split(' ').map(Number);

async function measureLoads(kinds: LoadKind[]): Promise<LoadTuning[]> {
  const k6 = await findK6(log);
  await findVariants();
  const deployed = await readDeployed();
  const loads: LoadTuning[] = [];
  try {
    if (kinds.some(({ slowDatabase }) => slowDatabase)) await deploySlowDatabase(deployed);
    for (const kind of kinds) {
      log(`${kind.title}: ${kind.description}`);
      const steps = await measureSteps(k6, deployed, kind);
      loads.push({ ...kind, steps, knee: findKnee(steps, maxP95) });
    }
  } finally {
    await removePod();
    await removeSlowDatabase();
  }
  return loads;
}

async function measureSteps(k6: string, deployed: Deployed, kind: LoadKind): Promise<Step[]> {
  await removePod();
  const url = await startPod(deployed, kind);
  await emptyCollection();
  await measureStep(k6, url, kind, 8); // warm-up
  // up and down, so that drift evens out
  const measured: Step[] = [];
  for (const concurrency of [...concurrencies, ...concurrencies.toReversed()]) {
    interruption.throwIfAborted();
    const step = await measureStep(k6, url, kind, concurrency);
    log(describe(step));
    measured.push(step);
  }
  return concurrencies.map((_, i) => mean(measured[i] as Step, measured.at(-1 - i) as Step));
}

/** Runs soak.js in a closed model, with `concurrency` clients. */
async function measureStep(
  k6: string,
  url: string,
  { mix }: LoadKind,
  concurrency: number,
): Promise<Step> {
  const settings = {
    ...{ BASE_URL: url, HOST: '', CLIENTS: `${concurrency}`, DURATION: duration, MIX: mix },
  };
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
    p95: percentile(durations, 95),
    failed: 1 - answered.length / requests.length,
  };
}

function describe({ concurrency, throughput, p95, failed }: Step): string {
  const rate = `${throughput.toFixed(0)} requests/s, p95 ${p95?.toFixed(0) ?? '–'} ms`;
  return `${concurrency} in flight: ${rate}, ${(failed * 100).toFixed(1)} % failed`;
}

function mean(a: Step, b: Step): Step {
  const of = (key: 'throughput' | 'failed') => (a[key] + b[key]) / 2;
  return {
    concurrency: a.concurrency,
    throughput: of('throughput'),
    p95: a.p95 === null || b.p95 === null ? null : (a.p95 + b.p95) / 2,
    failed: of('failed'),
  };
}

/**
 * Starts the pod and waits until it is ready.
 *
 * @returns its URL
 */
async function startPod({ deployment }: Deployed, { slowDatabase }: LoadKind): Promise<string> {
  log(`starting the pod ${name} from the template of the Deployment functions-hpa`);
  const { metadata, spec } = deployment.spec?.template ?? {};
  const labels = { ...metadata?.labels, 'app.kubernetes.io/name': name };
  const containers = (spec?.containers ?? []).map((container) => ({
    ...container,
    ...(slowDatabase && { env: withSlowDatabase(container.env ?? []) }),
  }));
  const pod: V1Pod = { metadata: { name, labels }, spec: { ...spec, containers } };
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
  await sleep(2000); // until kube-proxy has the port on every node
  return `http://${address}`;
}

/** Deletes the pod and its Service, if they exist. */
async function removePod(): Promise<void> {
  await shell(`k delete pod,service ${name} --ignore-not-found`);
}

function log(line: string): void {
  console.error(line);
}

async function main([task]: string[]): Promise<void> {
  const folder = join(__dirname, 'report');
  const results = join(folder, 'tune.json');
  await mkdir(folder, { recursive: true });
  if (task !== 'report') await writeFile(results, `${JSON.stringify(await tune())}\n`);
  const tuning: Tuning = JSON.parse(await readFile(results, 'utf8'));
  const { target, limit } = lowestOf(tuning.loads.map(({ knee }) => knee));
  const file = join(folder, 'tune.html');
  await writeFile(file, tuneReport(tuning));
  console.log(`
For knative/service/service.yaml, the lowest of all loads:

  autoscaling.knative.dev/target: "${target}"   # the lowest concurrency with 90 % of the highest throughput
${limit ? `  containerConcurrency: ${limit}   # the highest concurrency tried with a p95 within ${tuning.settings.P95_MS} ms` : ''}

The report is ${file}.`);
}

async function tune(): Promise<Tuning> {
  const loads = await measureLoads(chooseKinds());
  return {
    date: new Date().toISOString(),
    k6: await k6VersionOf(await findK6(log)),
    setup: await readTestEnvironment(),
    settings: { DURATION: duration, P95_MS: `${maxP95}` },
    loads,
  };
}

exitAfter(main(process.argv.slice(2)));
