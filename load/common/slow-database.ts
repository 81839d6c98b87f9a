import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1EnvVar } from '@kubernetes/client-node';
import { applyObjects } from './apply';
import { shell } from './cluster';
import type { Deployed } from './deployed';

/** How much longer a response of the database takes, in ms. */
const delay = 200;
/** The name of the Service in front of the database. */
const slowDatabaseHost = 'slow-mongo';
const labels = { 'app.kubernetes.io/name': slowDatabaseHost };

/** Deploys a proxy in front of MongoDB, in this service's image, that holds back its responses. */
export async function deploySlowDatabase({ deployment }: Deployed): Promise<void> {
  const container = deployment.spec?.template.spec?.containers[0];
  const script = readFileSync(join(__dirname, 'delay-responses.js'), 'utf8');
  const metadata = { name: slowDatabaseHost, labels };
  await applyObjects([
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels: { ...labels, 'mongo-client': 'true' } },
          spec: {
            automountServiceAccountToken: false,
            containers: [
              {
                name: 'proxy',
                image: container?.image,
                command: ['node', '--eval', script],
                env: [
                  { name: 'HOST', value: 'mongo-service' },
                  { name: 'PORT', value: '27017' },
                  { name: 'DELAY_MS', value: `${delay}` },
                ],
                securityContext: container?.securityContext,
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ port: 27017 }] },
    },
  ]);
  await shell(`k rollout status deployment/${slowDatabaseHost} --timeout 120s >/dev/null`);
}

/** The environment of a container, with this database instead of its own. */
export function withSlowDatabase(env: V1EnvVar[]): V1EnvVar[] {
  return env.map((entry) =>
    entry.name === 'MONGO_HOST' ? { name: entry.name, value: slowDatabaseHost } : entry,
  );
}

/** Deletes the proxy, if it is there. */
export async function removeSlowDatabase(): Promise<void> {
  await shell(`k delete deployment,service ${slowDatabaseHost} --ignore-not-found >/dev/null`);
}
