import {
  type KubernetesListObject,
  type KubernetesObject,
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
  namespace,
} from '../common/cluster';
import type { Replicas } from './measures';
import { name } from './workload';

/** What is observed while the replicas are watched. */
export interface WorkloadWatch {
  /** An entry for each change, in chronological order. */
  replicas: Replicas[];
  stop(): void;
}

const knativeLabel = 'serving.knative.dev/service';
// Knative's own resource, which says how many replicas it wants
const autoscalers = ['autoscaling.internal.knative.dev', 'v1alpha1', 'podautoscalers'] as const;

/** Watches the replicas of what is under load, on either platform. */
export async function watchWorkload(): Promise<WorkloadWatch> {
  const replicas: Replicas[] = [];
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

  const desired = () => {
    const deployment = deployments.get(name, namespace);
    if (deployment) return deployment.spec?.replicas ?? 0;
    return podAutoscalers
      .list()
      .filter(({ metadata }) => metadata?.labels?.[knativeLabel] === name)
      .reduce((sum, { status }) => sum + Math.max(0, status?.desiredScale ?? 0), 0); // -1 while unknown
  };
  const update = () => {
    const active = pods
      .list()
      .filter(
        (pod) => pod.metadata?.labels?.['app.kubernetes.io/name'] === name && occupiesNode(pod),
      );
    const ready = active.filter(isReady).length;
    const now = { desired: desired(), ready, pods: active.length };
    const { at, ...last } = replicas.at(-1) ?? { at: 0 };
    if (JSON.stringify(now) !== JSON.stringify(last)) replicas.push({ ...now, at: Date.now() });
  };
  for (const informer of [pods, deployments, podAutoscalers]) await informer.start();
  for (const informer of [pods, deployments, podAutoscalers]) informer.on('change', update);
  update();
  return {
    replicas,
    stop() {
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
  const restart = () => setTimeout(() => void informer.start().catch(restart), 1000);
  informer.on('error', restart);
  return informer;
}

const occupiesNode = ({ spec, status }: V1Pod) =>
  Boolean(spec?.nodeName) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

const isReady = ({ metadata, status }: V1Pod) =>
  !metadata?.deletionTimestamp &&
  Boolean(status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
