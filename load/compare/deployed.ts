import {
  AutoscalingV2Api,
  type KubernetesObject,
  type V1Deployment,
  type V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import {
  apps,
  type CustomResource,
  kube,
  listCustomResources,
  namespace,
  shell,
} from '../common/cluster';
import { applyObjects } from './apply';

/** What `npm run deploy` has put into the namespace, from which the subjects are made. */
export interface Deployed {
  service: CustomResource;
  deployment: V1Deployment;
  autoscaler: V2HorizontalPodAutoscaler;
}

/** Reads both variants, which have to be there. */
export async function readDeployed(): Promise<Deployed> {
  const { items } = await listCustomResources('serving.knative.dev', 'v1', 'services');
  const [service] = items.filter(({ metadata }) => metadata?.name === 'functions');
  const hpa = { name: 'functions-hpa', namespace };
  return {
    service: service as CustomResource,
    deployment: await apps.readNamespacedDeployment(hpa),
    autoscaler: await kube
      .makeApiClient(AutoscalingV2Api)
      .readNamespacedHorizontalPodAutoscaler(hpa),
  };
}

/** Takes both variants away, so that their replicas use nothing. */
export async function takeAway(): Promise<void> {
  await shell(
    'k delete services.serving.knative.dev/functions deployment/functions-hpa >/dev/null',
  );
}

/** Puts both variants back. */
export async function putBack({ service, deployment }: Deployed): Promise<void> {
  const original = ({ metadata, spec }: KubernetesObject & { spec?: object }) => ({
    metadata: { name: metadata?.name, labels: metadata?.labels },
    spec,
  });
  await applyObjects([
    { apiVersion: 'serving.knative.dev/v1', kind: 'Service', ...original(service) },
    { apiVersion: 'apps/v1', kind: 'Deployment', ...original(deployment) },
  ]);
}
