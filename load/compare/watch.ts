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
  type Custom,
  core,
  kube,
  listCustom,
  millicores,
  type Name,
  names,
  namespace,
} from '../shared/cluster';
import type { Replicas } from './measures';

/** CPU of a container as metrics-server read it. */
export interface Cpu {
  /** Milliseconds since 1970, the end of the window. */
  at: number;
  /** Over what it is the mean, such as `15.2s`. */
  window: string;
  pod: string;
  container: string;
  millicores: number;
}

export interface Watch {
  /** Every change of the replicas, from the first on. */
  replicas: Record<Name, Replicas[]>;
  cpu: Record<Name, Cpu[]>;
  stop(): void;
}

const knativeLabel = 'serving.knative.dev/service';
const autoscalers = ['autoscaling.internal.knative.dev', 'v1alpha1', 'podautoscalers'] as const;

/** Watches the pods of both variants and what their autoscalers ask for. */
export async function watchCluster(): Promise<Watch> {
  const replicas: Watch['replicas'] = { knative: [], hpa: [] };
  const cpu: Watch['cpu'] = { knative: [], hpa: [] };

  const pods = inform<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, () =>
    core.listNamespacedPod({ namespace }),
  );
  const deployments = inform<V1Deployment>(
    `/apis/apps/v1/namespaces/${namespace}/deployments`,
    () => apps.listNamespacedDeployment({ namespace }),
  );
  const [group, version, plural] = autoscalers;
  const podAutoscalers = inform<Custom>(
    `/apis/${group}/${version}/namespaces/${namespace}/${plural}`,
    () => listCustom(group, version, plural),
  );

  const desired: Record<Name, () => number> = {
    hpa: () => deployments.get('functions-hpa', namespace)?.spec?.replicas ?? 0,
    // an older revision's is 0, or -1 before it is known
    knative: () =>
      podAutoscalers
        .list()
        .filter(({ metadata }) => metadata?.labels?.[knativeLabel] === 'functions')
        .reduce((sum, { status }) => sum + Math.max(0, status?.desiredScale ?? 0), 0),
  };
  const look = () => {
    for (const name of names) {
      const there = pods
        .list()
        .filter((pod) => variantOf(pod.metadata?.labels) === name && holdsRequests(pod));
      const ready = there.filter(isReady).length;
      const now = { desired: desired[name](), ready, pods: there.length };
      const { at, ...last } = replicas[name].at(-1) ?? { at: 0 };
      if (JSON.stringify(now) !== JSON.stringify(last))
        replicas[name].push({ ...now, at: Date.now() });
    }
  };
  for (const informer of [pods, deployments, podAutoscalers]) await informer.start();
  for (const informer of [pods, deployments, podAutoscalers]) informer.on('change', look);
  look();

  // metrics-server has no watch
  const metrics = new Metrics(kube);
  const reader = setInterval(async () => {
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
      clearInterval(reader);
      for (const informer of [pods, deployments, podAutoscalers]) void informer.stop();
    },
  };
}

/** A list that is kept up to date; when the connection breaks, it begins anew a second later. */
function inform<T extends KubernetesObject>(
  path: string,
  list: () => Promise<KubernetesListObject<T>>,
) {
  const informer = makeInformer<T>(kube, path, list);
  informer.on('error', () => setTimeout(() => informer.start(), 1000));
  return informer;
}

function variantOf(labels: Record<string, string> = {}): Name | undefined {
  if (labels[knativeLabel] === 'functions') return 'knative';
  if (labels['app.kubernetes.io/name'] === 'functions-hpa') return 'hpa';
  return undefined;
}

const holdsRequests = ({ spec, status }: V1Pod) =>
  Boolean(spec?.nodeName) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

const isReady = ({ metadata, status }: V1Pod) =>
  !metadata?.deletionTimestamp &&
  Boolean(status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
