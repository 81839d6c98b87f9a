import {
  type KubernetesListObject,
  type KubernetesObject,
  Metrics,
  makeInformer,
  type V1Deployment,
  type V1Pod,
} from '@kubernetes/client-node';
import {
  apps,
  type CustomResource,
  core,
  kube,
  listCustomResources,
  millicores,
  namespace,
  type VariantName,
  variantNames,
} from '../common/cluster';
import type { Replicas } from './measures';

/** CPU usage of a container, from metrics-server. */
export interface CpuSample {
  /** The end of the window, in ms since 1970. */
  at: number;
  /** How long it was averaged, such as `15.2s`. */
  window: string;
  pod: string;
  container: string;
  millicores: number;
}

/** What is observed while the cluster is watched. */
export interface ClusterWatch {
  /** An entry for each change, in chronological order. */
  replicas: Record<VariantName, Replicas[]>;
  cpu: Record<VariantName, CpuSample[]>;
  stop(): void;
}

const knativeLabel = 'serving.knative.dev/service';
const autoscalers = ['autoscaling.internal.knative.dev', 'v1alpha1', 'podautoscalers'] as const;

/** Watches the pods of both variants, and how many replicas their autoscalers want. */
export async function watchCluster(): Promise<ClusterWatch> {
  const replicas: ClusterWatch['replicas'] = { knative: [], hpa: [] };
  const cpu: ClusterWatch['cpu'] = { knative: [], hpa: [] };

  const pods = createInformer<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, () =>
    core.listNamespacedPod({ namespace }),
  );
  const deployments = createInformer<V1Deployment>(
    `/apis/apps/v1/namespaces/${namespace}/deployments`,
    () => apps.listNamespacedDeployment({ namespace }),
  );
  const [group, version, plural] = autoscalers;
  const podAutoscalers = createInformer<CustomResource>(
    `/apis/${group}/${version}/namespaces/${namespace}/${plural}`,
    () => listCustomResources(group, version, plural),
  );

  const desired: Record<VariantName, () => number> = {
    hpa: () => deployments.get('functions-hpa', namespace)?.spec?.replicas ?? 0,
    // old revisions have 0, or -1 while unknown
    knative: () =>
      podAutoscalers
        .list()
        .filter(({ metadata }) => metadata?.labels?.[knativeLabel] === 'functions')
        .reduce((sum, { status }) => sum + Math.max(0, status?.desiredScale ?? 0), 0),
  };
  const update = () => {
    for (const name of variantNames) {
      const active = pods
        .list()
        .filter((pod) => variantOf(pod.metadata?.labels) === name && occupiesNode(pod));
      const ready = active.filter(isReady).length;
      const now = { desired: desired[name](), ready, pods: active.length };
      const { at, ...last } = replicas[name].at(-1) ?? { at: 0 };
      if (JSON.stringify(now) !== JSON.stringify(last))
        replicas[name].push({ ...now, at: Date.now() });
    }
  };
  for (const informer of [pods, deployments, podAutoscalers]) await informer.start();
  for (const informer of [pods, deployments, podAutoscalers]) informer.on('change', update);
  update();

  // metrics-server does not support watches
  const metrics = new Metrics(kube);
  const poll = setInterval(async () => {
    const { items } = await metrics.getPodMetrics(namespace).catch(() => ({ items: [] }));
    for (const { metadata, timestamp, window, containers } of items) {
      const name = variantOf(pods.get(metadata.name, namespace)?.metadata?.labels);
      const at = Date.parse(timestamp);
      const pod = metadata.name;
      if (!name || cpu[name].some((known) => known.pod === pod && known.at === at)) continue;
      for (const { name: container, usage } of containers) {
        cpu[name].push({ at, window, pod, container, millicores: millicores(usage.cpu) });
      }
    }
  }, 3000);

  return {
    replicas,
    cpu,
    stop() {
      clearInterval(poll);
      for (const informer of [pods, deployments, podAutoscalers]) void informer.stop();
    },
  };
}

/** An informer that restarts a second after an error. */
function createInformer<T extends KubernetesObject>(
  path: string,
  list: () => Promise<KubernetesListObject<T>>,
) {
  const informer = makeInformer<T>(kube, path, list);
  informer.on('error', () => setTimeout(() => informer.start(), 1000));
  return informer;
}

function variantOf(labels: Record<string, string> = {}): VariantName | undefined {
  if (labels[knativeLabel] === 'functions') return 'knative';
  if (labels['app.kubernetes.io/name'] === 'functions-hpa') return 'hpa';
  return undefined;
}

const occupiesNode = ({ spec, status }: V1Pod) =>
  Boolean(spec?.nodeName) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

const isReady = ({ metadata, status }: V1Pod) =>
  !metadata?.deletionTimestamp &&
  Boolean(status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
