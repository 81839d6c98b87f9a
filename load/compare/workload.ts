import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Container, V1EnvVar, V1PodTemplateSpec } from '@kubernetes/client-node';
import { applyObjects } from '../common/apply';
import { shell, type Target } from '../common/cluster';
import type { Deployed } from '../common/deployed';
import { withSlowDatabase } from '../common/slow-database';
import { isPeer, peers, type Settings, type Subject } from './subjects';
import { replicasAtFirst } from './validity';

/** The name of what is put under load, and of all that belongs to it. */
export const name = 'functions-compare';
const label = { 'app.kubernetes.io/name': name };
const selector = `app.kubernetes.io/name=${name}`;

/**
 * Deploys a subject with two replicas: a copy of what `npm run deploy` has put into the namespace, with
 * another name, and without its HPA. Waits until both are ready.
 *
 * @throws Error if that takes more than three minutes
 */
export async function deploy(
  deployed: Deployed,
  subject: Subject,
  slowDatabase: boolean,
  settings: Settings,
): Promise<Target> {
  await remove();
  const isKnative = subject.platform === 'knative';
  const { service, deployment } = deployed;
  const original: V1PodTemplateSpec = (isKnative ? service : deployment).spec.template;
  const template = podTemplate(original, subject, slowDatabase, settings);
  await applyObjects(
    isKnative ? [knativeService(template)] : deploymentAndService(deployed, template),
  );
  return isKnative ? knativeTarget() : deploymentTarget();
}

/**
 * Deletes it, without waiting for connections to drain: pods first, as a pod that is deleted with its
 * owner drains even if it is then deleted with less time.
 */
export async function remove(): Promise<void> {
  await shell(`
    kinds=deployment,service,horizontalpodautoscaler
    ! serves serving.knative.dev/v1 || kinds=services.serving.knative.dev,$kinds
    k delete pods --selector ${selector} --grace-period 1 --wait=false
    k delete $kinds --selector ${selector} --cascade=foreground --wait=false
    until [ -z "$(k get pods --selector ${selector} --output name)" ]; do
      k delete pods --selector ${selector} --grace-period 1 --wait=false 2>/dev/null || true
      sleep 1
    done
    k wait --for delete $kinds --selector ${selector} --timeout 60s`);
}

function knativeService(template: V1PodTemplateSpec) {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name, labels: label },
    spec: { template },
  };
}

function deploymentAndService({ deployment }: Deployed, template: V1PodTemplateSpec) {
  const metadata = { name, labels: label };
  return [
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: {
        ...deployment.spec,
        replicas: replicasAtFirst,
        selector: { matchLabels: label },
        template,
      },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: {
        type: 'NodePort',
        selector: label,
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      },
    },
  ];
}

function podTemplate(
  { metadata, spec }: V1PodTemplateSpec,
  { software, annotations }: Subject,
  slowDatabase: boolean,
  { cpu, peersImage }: Settings,
): V1PodTemplateSpec {
  const [container, ...others] = spec?.containers ?? [];
  const { requests, limits } = container?.resources ?? {};
  const ownEnv = container?.env ?? [];
  const env = slowDatabase ? withSlowDatabase(ownEnv) : ownEnv;
  const changed: Partial<V1Container> = {
    env,
    resources: {
      requests: { ...requests, ...(cpu && { cpu: `${cpu.request}m` }) },
      limits: { ...limits, ...(cpu && { cpu: `${cpu.limit}m` }) },
    },
  };
  const peer: Partial<V1Container> = isPeer(software)
    ? {
        image: peersImage ?? '',
        command: ['node', `/bench/node_modules/.bin/${software}`, ...peers[software].args],
        workingDir: `/bench/peers/${software}`,
        env: [...env, ...peerLogin],
        readinessProbe: {
          ...container?.readinessProbe,
          httpGet: { ...container?.readinessProbe?.httpGet, path: peers[software].probe } as never,
        },
        livenessProbe: undefined as never,
      }
    : {};
  return {
    metadata: {
      labels: { ...metadata?.labels, ...label },
      annotations: { ...metadata?.annotations, ...annotations },
    },
    spec: {
      ...spec,
      topologySpreadConstraints: undefined as never,
      containers: [{ ...container, ...changed, ...peer } as V1Container, ...others],
    },
  };
}

const fromSecret = (name: string, key: string): V1EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: 'mongo-app', key } },
});

/** Kubernetes replaces each `$(NAME)` by an earlier variable. */
const peerLogin: V1EnvVar[] = [
  fromSecret('MONGO_USERNAME', 'username'),
  fromSecret('MONGO_PASSWORD', 'password'),
  {
    name: 'MONGODB_URI',
    value:
      'mongodb://$(MONGO_USERNAME):$(MONGO_PASSWORD)@$(MONGO_HOST):$(MONGO_PORT)/$(MONGO_DATABASE)?authSource=admin&w=majority&journal=true',
  },
];

async function knativeTarget(): Promise<Target> {
  const [url = '', host = ''] = await shell(`
    k wait --for condition=Ready services.serving.knative.dev/${name} --timeout 180s >/dev/null
    k wait --for condition=Ready pods --selector ${selector} --timeout 60s >/dev/null
    ingress_url
    route_host ${name}`);
  return { url, host };
}

async function deploymentTarget(): Promise<Target> {
  const [address = ''] = await shell(`
    k rollout status deployment/${name} --timeout 120s >/dev/null
    service_address "$NAMESPACE" ${name}`);
  return { url: `http://${address}`, host: '' };
}

/**
 * Creates the HPA of a subject that has one. Waits until it knows the CPU usage of the pods: without it, it
 * would not scale.
 *
 * @throws Error if that takes more than three minutes
 */
export async function createHpa(
  { autoscaler }: Deployed,
  { platform, defaultBehavior }: Subject,
): Promise<void> {
  if (platform === 'knative') return;
  const hpa = {
    ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
    metadata: { name, labels: label },
    spec: {
      ...autoscaler.spec,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      ...(defaultBehavior && { behavior: undefined }),
    },
  };
  await applyObjects([hpa]);
  for (let waited = 0; waited < 180; waited++) {
    const [usage] = await shell(
      `k get horizontalpodautoscaler ${name} -o jsonpath='{.status.currentMetrics[0].resource.current.averageUtilization}'`,
    );
    if (usage) return;
    await sleep(1000);
  }
  throw new Error(`The HPA ${name} did not learn the CPU usage of its pods in three minutes.`);
}
