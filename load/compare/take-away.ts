import type { KubernetesObject } from '@kubernetes/client-node';
import { applyObjects } from '../common/apply';
import { shell } from '../common/cluster';
import type { Deployed } from '../common/deployed';

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
