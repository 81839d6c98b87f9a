import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import {
  AppsV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
  type V2HorizontalPodAutoscaler,
  VersionApi,
} from '@kubernetes/client-node';

/** The cluster of the current kubectl context, where both variants are deployed. */
export const namespace = process.env.NAMESPACE || 'functions';
export const kube = new KubeConfig();
kube.loadFromDefault();

export type Name = 'knative' | 'hpa';
export const names: Name[] = ['knative', 'hpa'];

/** One of the two ways in which the service is deployed. */
export interface Variant {
  name: Name;
  url: string;
  /** The Host header by which the ingress knows the Knative route; empty for none. */
  host: string;
}

/**
 * Runs a line of shell with what knative/lib.sh has.
 * @returns the lines it prints
 * @throws Error with what it says of why it failed
 */
export async function shell(script: string): Promise<string[]> {
  const env = { ...process.env, NAMESPACE: namespace };
  const run = promisify(execFile)('bash', ['-c', `. knative/lib.sh; ${script}`], { env });
  const { stdout } = await run.catch(({ stderr, message }) => {
    throw new Error(String(stderr).trim() || message);
  });
  return stdout.trimEnd().split('\n');
}

/** @throws Error that says what is missing */
export async function findVariants(): Promise<Variant[]> {
  const [ingress = '', nodeport = '', host = ''] = await shell(`need_cluster
    k get services.serving.knative.dev/functions deployment/functions-hpa >/dev/null 2>&1 ||
      die "Both variants have to be in the namespace $NAMESPACE: npm run deploy."
    ingress_url && nodeport_url && route_host`);
  return [
    { name: 'knative', url: ingress, host },
    { name: 'hpa', url: nodeport, host: '' },
  ];
}

/** Deletes all documents. */
export async function emptyCollection(): Promise<void> {
  await shell("mongosh 'admin.getSiblingDB(process.env.MONGO_DATABASE).documents.deleteMany({})'");
}

/** A custom resource, as far as this reads it. */
// biome-ignore lint/suspicious/noExplicitAny: the schema is the resource's
export type Custom = KubernetesObject & { spec?: any; status?: any };

const custom = kube.makeApiClient(CustomObjectsApi);
export const apps = kube.makeApiClient(AppsV1Api);
export const core = kube.makeApiClient(CoreV1Api);

/** Lists custom resources of the namespace. */
export async function listCustom(group: string, version: string, plural: string) {
  const list = await custom.listNamespacedCustomObject({ group, version, namespace, plural });
  return list as { metadata: { resourceVersion: string }; items: Custom[] };
}

/** What a report says of where it was measured, and of how the variants are set up. */
export interface Setup {
  /** Each node's CPUs and memory. */
  nodes: string[];
  /** The machine that k6 runs on. */
  machine: string;
  /** Whether that is a node of the cluster. */
  shared: boolean;
  kubernetes: string;
  knative: string;
  database: string;
  node: string;
  image: string;
  resources: string;
  /** Millicores that a replica requests. */
  cpuRequest: number;
  kpa: Record<string, string>;
  hpa: Record<string, string>;
}

/** Reads it from the cluster. */
export async function readSetup(): Promise<Setup> {
  const [nodes, version, system, deployment, services, hpa] = await Promise.all([
    core.listNode(),
    kube.makeApiClient(VersionApi).getCode(),
    core.readNamespace({ name: 'knative-serving' }),
    apps.readNamespacedDeployment({ name: 'functions-hpa', namespace }),
    listCustom('serving.knative.dev', 'v1', 'services'),
    kube
      .makeApiClient(AutoscalingV2Api)
      .readNamespacedHorizontalPodAutoscaler({ name: 'functions-hpa', namespace }),
  ]);
  const [node = ''] = await shell('k exec deployment/functions-hpa -- node --version');
  const [database = ''] = await shell(`mongosh '
    const { version, ferretdbVersion } = admin.runCommand({ buildInfo: 1 });
    print(ferretdbVersion ? "FerretDB " + ferretdbVersion : "MongoDB " + version);
  '`);
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const container = deployment.spec?.template.spec?.containers[0];
  const { requests, limits } = container?.resources ?? {};
  return {
    nodes: nodes.items.map(({ status }) => {
      const { cpu, memory = '' } = status?.capacity ?? {};
      return size(Number(cpu), Number(memory.replace('Ki', '')) * 1024);
    }),
    machine: `${size(cpus().length, totalmem())} (${cpus()[0]?.model})`,
    shared: nodes.items.some(({ status }) => status?.nodeInfo?.bootID === bootId.trim()),
    kubernetes: version.gitVersion,
    knative: system.metadata?.labels?.['app.kubernetes.io/version'] ?? 'of unknown version',
    database,
    node,
    image: container?.image?.replace(/^.*\//, '') ?? '',
    resources: `requests ${requests?.cpu} and ${requests?.memory}, limits ${limits?.cpu} and ${limits?.memory}`,
    cpuRequest: millicores(requests?.cpu ?? ''),
    kpa: kpaSettings(services.items.find(({ metadata }) => metadata?.name === 'functions')),
    hpa: hpaSettings(hpa),
  };
}

const size = (cpus: number, bytes: number) => `${cpus} CPUs, ${(bytes / 2 ** 30).toFixed(1)} GiB`;

function kpaSettings(service: Custom | undefined): Record<string, string> {
  const { metadata, spec } = service?.spec.template ?? {};
  const prefix = 'autoscaling.knative.dev/';
  const annotations = Object.entries<string>(metadata.annotations)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value]);
  return {
    ...Object.fromEntries(annotations),
    containerConcurrency: `${spec.containerConcurrency ?? 0}`,
  };
}

function hpaSettings({ spec }: V2HorizontalPodAutoscaler): Record<string, string> {
  const { scaleUp, scaleDown } = spec?.behavior ?? {};
  return {
    minReplicas: `${spec?.minReplicas}`,
    maxReplicas: `${spec?.maxReplicas}`,
    averageUtilization: `${spec?.metrics?.[0]?.resource?.target.averageUtilization} % of the CPU request`,
    scaleUp: JSON.stringify(scaleUp),
    scaleDown: JSON.stringify(scaleDown),
  };
}

/** Of a quantity such as `12345678n`, `200m` or `1`. */
export function millicores(quantity: string): number {
  const unit = { n: 1e-6, u: 1e-3, m: 1 }[quantity.at(-1) ?? ''] ?? 1000;
  return Math.round(Number.parseFloat(quantity) * unit);
}
