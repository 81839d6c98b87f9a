import {
  AutoscalingV2Api,
  type V1Deployment,
  type V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import { apps, type CustomResource, kube, listCustomResources, namespace } from './cluster';

/** What `npm run deploy` has put into the namespace. */
export interface Deployed {
  service: CustomResource;
  deployment: V1Deployment;
  autoscaler: V2HorizontalPodAutoscaler;
}

/** Reads both variants, which have to be there. */
export async function readDeployed(): Promise<Deployed> {
  const hpa = { name: 'functions-hpa', namespace };
  const [{ items }, deployment, autoscaler] = await Promise.all([
    listCustomResources('serving.knative.dev', 'v1', 'services'),
    apps.readNamespacedDeployment(hpa),
    kube.makeApiClient(AutoscalingV2Api).readNamespacedHorizontalPodAutoscaler(hpa),
  ]);
  const service = items.find(({ metadata }) => metadata?.name === 'functions') as CustomResource;
  return { service, deployment, autoscaler };
}
