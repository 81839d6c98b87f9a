import { dirname } from 'node:path';
import { execInPod, hasComponent, kubectl, run } from './commands';

const caFile = '/run/secrets/tls/ca.crt';

/** What a URI of MongoDB ends with. */
export const uriOptions = `?authSource=admin${hasComponent('mongo/tls') ? `&tls=true&tlsCAFile=${caFile}` : ''}`;

/** For `mongosh`: connects as the service does, and defines `db`. */
export const connectAsApp = `const { readFileSync } = require('node:fs');
  const secret = (key) => readFileSync('/run/secrets/app/' + key, 'utf8');
  const db = connect('mongodb://' + secret('username') + ':' + secret('password') +
    '@mongo-service/functions${uriOptions}');`;

/** Runs a mongosh script in the pod `probe`, without a connection. */
export function mongosh(script: string): Promise<string> {
  return execInPod(
    'probe',
    'env',
    'HOME=/tmp',
    'mongosh',
    '--quiet',
    '--norc',
    '--nodb',
    '--eval',
    script,
  );
}

/** Runs a mongosh script as root, in the pod of MongoDB. */
export function mongoshAsRoot(script: string): Promise<string> {
  const file = "const { readFileSync } = require('node:fs');";
  return run('bash', '-c', '. knative/deploy/lib.sh; mongosh "$1"', 'bash', `${file} ${script}`);
}

/** Starts an idle pod that has mongosh and the credentials of the application. */
export async function startProbePod(name: string, labels: Record<string, string>): Promise<void> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 999,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name,
          image: 'mongo:8.0',
          command: ['sleep', 'infinity'],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [
            { name: 'app', mountPath: '/run/secrets/app' },
            { name: 'tls', mountPath: dirname(caFile) },
          ],
        },
      ],
      volumes: [
        { name: 'app', secret: { secretName: 'mongo-app' } },
        {
          name: 'tls',
          secret: {
            secretName: 'mongo-tls',
            optional: true,
            items: [{ key: 'ca.crt', path: 'ca.crt' }],
          },
        },
      ],
    },
  };
  await run('bash', '-c', `kubectl -n "$NAMESPACE" create -f - <<<'${JSON.stringify(manifest)}'`);
  await kubectl('wait', '--for', 'condition=Ready', `pod/${name}`, '--timeout', '120s');
}
