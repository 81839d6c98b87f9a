import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { type V2HorizontalPodAutoscaler, VersionApi } from '@kubernetes/client-node';
import { type CustomResource, core, kube, shell } from './cluster';
import { readDeployed } from './deployed';
import { millicores } from './millicores';

/** Where a report was measured, and how the variants are configured. */
export interface TestEnvironment {
  /** CPUs and memory of each node. */
  nodes: string[];
  /** The machine that k6 runs on. */
  machine: string;
  /** Whether that machine is a node of the cluster. */
  shared: boolean;
  kubernetes: string;
  knative: string;
  database: string;
  node: string;
  image: string;
  resources: string;
  /** CPUs of all nodes. */
  cpus: number;
  /** The CPU limit of a replica, in millicores. */
  cpuLimit: number;
  kpa: Record<string, string>;
  hpa: Record<string, string>;
}

/** Reads the test environment from the cluster. */
export async function readTestEnvironment(): Promise<TestEnvironment> {
  const [nodes, version, system, { service, deployment, autoscaler }] = await Promise.all([
    core.listNode(),
    kube.makeApiClient(VersionApi).getCode(),
    core.readNamespace({ name: 'knative-serving' }),
    readDeployed(),
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
    knative: system.metadata?.labels?.['app.kubernetes.io/version'] ?? 'unknown',
    database,
    node,
    image: container?.image?.replace(/^.*\//, '') ?? '',
    resources: `requests ${requests?.cpu} and ${requests?.memory}, limits ${limits?.cpu} and ${limits?.memory}`,
    cpus: nodes.items.reduce((sum, { status }) => sum + Number(status?.capacity?.cpu ?? 0), 0),
    cpuLimit: millicores(limits?.cpu ?? ''),
    kpa: kpaSettings(service),
    hpa: hpaSettings(autoscaler),
  };
}

const size = (cpus: number, bytes: number) => `${cpus} CPUs, ${(bytes / 2 ** 30).toFixed(1)} GiB`;

function kpaSettings(service: CustomResource): Record<string, string> {
  const { metadata, spec } = service.spec.template;
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
