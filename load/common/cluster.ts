import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
} from '@kubernetes/client-node';

/** The namespace that both variants are deployed in, on the cluster of the current context. */
export const namespace = process.env.NAMESPACE || 'functions';
export const kube = new KubeConfig();
kube.loadFromDefault();

export type VariantName = 'knative' | 'hpa';

/** Where requests are sent. */
export interface Target {
  url: string;
  /** The Host header that selects the Knative route at the ingress; empty for none. */
  host: string;
}

/** The service as a Knative Service, or as a Deployment with an HPA. */
export interface Variant extends Target {
  name: VariantName;
}

/**
 * Runs a bash script with the functions of knative/deploy/lib.sh.
 *
 * @returns the lines of its standard output
 * @throws Error with its standard error
 */
export async function shell(script: string): Promise<string[]> {
  const env = { ...process.env, NAMESPACE: namespace };
  const run = promisify(execFile)('bash', ['-c', `. knative/deploy/lib.sh; ${script}`], { env });
  const { stdout } = await run.catch(({ stderr, message }) => {
    throw new Error(String(stderr).trim() || message);
  });
  return stdout.trimEnd().split('\n');
}

/** @throws Error that says what is not deployed */
export async function findVariants(): Promise<Variant[]> {
  const [ingress = '', nodeport = '', host = ''] = await shell(`need_cluster
    k get services.serving.knative.dev/functions deployment/functions-hpa >/dev/null 2>&1 ||
      die "Both variants have to be deployed in the namespace $NAMESPACE: run npm run deploy."
    ingress_url && nodeport_url && route_host functions`);
  return [
    { name: 'knative', url: ingress, host },
    { name: 'hpa', url: nodeport, host: '' },
  ];
}

/** Deletes all documents. */
export async function emptyCollection(): Promise<void> {
  // in portions, as FerretDB can't delete more than 32,766 documents at once
  await shell(`mongosh '
    const { documents } = admin.getSiblingDB(process.env.MONGO_DATABASE);
    const after = (count) => documents.find({}, { _id: 1 }).sort({ _id: 1 }).skip(count).limit(1).toArray();
    for (let rest = after(30000); rest.length > 0; rest = after(30000)) {
      documents.deleteMany({ _id: { $lt: rest[0]._id } });
    }
    documents.deleteMany({});'`);
}

/** The parts of a custom resource that are read here. */
// biome-ignore lint/suspicious/noExplicitAny: the schema is the resource's
export type CustomResource = KubernetesObject & { spec?: any; status?: any };

const customObjects = kube.makeApiClient(CustomObjectsApi);
export const apps = kube.makeApiClient(AppsV1Api);
export const core = kube.makeApiClient(CoreV1Api);

/** Lists the custom resources of one kind in the namespace. */
export async function listCustomResources(group: string, version: string, plural: string) {
  const list = await customObjects.listNamespacedCustomObject({
    group,
    version,
    namespace,
    plural,
  });
  return list as { metadata: { resourceVersion: string }; items: CustomResource[] };
}
