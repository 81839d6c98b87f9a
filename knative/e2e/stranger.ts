import * as assert from 'uvu/assert';
import { execInPod, hasComponent, kubectl, namespace } from './commands';
import { podsOf } from './pods';
import { type Variant, variants } from './variants';

const mongoHosts = ['mongo-service', 'mongo-0.mongo'];

/**
 * Tries to connect from the pod `stranger`, which no NetworkPolicy names, to MongoDB and to the pods of both
 * variants. Where `CI` is set, the cluster has to enforce NetworkPolicies.
 *
 * @returns a line for the table of results
 */
export async function strangerIsKeptOut(): Promise<string> {
  for (const host of mongoHosts) assert.ok(await reaches('probe', host, 27017), host);
  if (await reaches('stranger', 'mongo-service', 27017)) {
    assert.not(process.env.CI, 'the stranger reaches MongoDB');
    return 'not enforced by this cluster';
  }
  for (const host of mongoHosts) assert.not(await reaches('stranger', host, 27017), host);

  const [knative, hpa] = variants as [Variant, Variant];
  const isRestricted = hasComponent('knative/network-policies');
  // queue-proxy, then the service and the metrics of both
  await connects(knative, { 8012: !isRestricted, 8080: false, 9464: false, 9091: false });
  await connects(hpa, { 8080: true, 9464: false });
  assert.match(await requestRoute('stranger'), / 200 OK/);
  const route = isRestricted ? 'the Knative Service by its route only' : 'both variants';
  return `no connection to MongoDB; it reaches ${route}`;
}

/** Checks which ports of a variant's pods the stranger reaches. */
async function connects(variant: Variant, ports: Record<number, boolean>): Promise<void> {
  for (const pod of await podsOf(variant)) {
    const address = await kubectl('get', pod, '-o', 'jsonpath={.status.podIP}');
    const tries = Object.keys(ports).map(
      async (port): Promise<[string, boolean]> => [
        port,
        await reaches('stranger', address, Number(port)),
      ],
    );
    assert.equal(Object.fromEntries(await Promise.all(tries)), ports, pod);
  }
}

/** Whether a pod can open a TCP connection. */
async function reaches(pod: string, host: string, port: number): Promise<boolean> {
  const connect = `timeout 5 bash -c '</dev/tcp/${host}/${port}' 2>/dev/null && echo open || echo closed`;
  return (await execInPod(pod, 'bash', '-c', connect)).trim() === 'open';
}

/** Requests the time from the Knative Service by its name within the cluster. @returns the response */
function requestRoute(pod: string): Promise<string> {
  const host = `functions.${namespace}.svc.cluster.local`;
  const request = `GET /time HTTP/1.1\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`;
  const script = `exec 3<>/dev/tcp/${host}/80 && printf '${request}' >&3 && timeout 20 cat <&3`;
  return execInPod(pod, 'bash', '-c', script);
}
