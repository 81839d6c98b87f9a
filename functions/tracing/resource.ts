import { hostname } from 'node:os';
import type { Attributes } from '@opentelemetry/api';
import { version } from '../../package.json';

/**
 * Describes this process. OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME add to it, and go first.
 * https://opentelemetry.io/docs/specs/semconv/resource/
 *
 * @param environment REVISION is that of the image; Kubernetes sets KUBERNETES_SERVICE_HOST, and as
 *   HOSTNAME the name of the pod; Knative sets K_SERVICE and K_REVISION
 */
export function resourceAttributes(environment: NodeJS.ProcessEnv): Attributes {
  const { REVISION, KUBERNETES_SERVICE_HOST, HOSTNAME = hostname() } = environment;
  const { K_SERVICE, K_REVISION } = environment;
  return {
    'service.name': 'functions',
    'service.version': REVISION || version,
    'service.instance.id': HOSTNAME,
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    ...(KUBERNETES_SERVICE_HOST && { 'k8s.pod.name': HOSTNAME }),
    ...(K_SERVICE && { 'faas.name': K_SERVICE, 'faas.instance': HOSTNAME }),
    ...(K_REVISION && { 'faas.version': K_REVISION }),
  };
}
