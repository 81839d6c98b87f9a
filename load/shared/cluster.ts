import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
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
 * Runs a line of shell with what knative/deploy/lib.sh has.
 * @returns the lines it prints
 * @throws Error with what it says of why it failed
 */
export async function shell(script: string): Promise<string[]> {
  const env = { ...process.env, NAMESPACE: namespace };
  const run = promisify(execFile)('bash', ['-c', `. knative/deploy/lib.sh; ${script}`], { env });
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

/** Of a quantity such as `12345678n`, `200m` or `1`. */
export function millicores(quantity: string): number {
  const unit = { n: 1e-6, u: 1e-3, m: 1 }[quantity.at(-1) ?? ''] ?? 1000;
  return Math.round(Number.parseFloat(quantity) * unit);
}
