import { handmade, namespace, run } from './commands';

/** The service as a Knative Service, or as a Deployment with an HPA. */
export interface Variant {
  name: 'knative' | 'hpa';
  url: string;
  /** The Host header that selects the Knative route at the ingress. */
  host?: string;
  /** The label selector of its pods. */
  selector: string;
}

/** Both variants, in this order; empty until the first step has deployed them. */
export const variants: Variant[] = [];

/** @returns the URL of the ingress, the host of the Knative route, and the URL of the Deployment */
export async function addressesIn(namespace: string): Promise<[string, string, string]> {
  const script = '. knative/deploy/lib.sh; ingress_url; route_host functions; nodeport_url';
  // a NODEPORT_URL from the environment is that of the first namespace
  const unset = namespace === handmade ? ['-u', 'NODEPORT_URL'] : [];
  const output = await run('env', ...unset, `NAMESPACE=${namespace}`, 'bash', '-c', script);
  return output.split('\n') as [string, string, string];
}

/** Adds the variants that `knative/deploy/deploy.sh` has deployed. */
export async function findVariants(): Promise<void> {
  const [ingress, host, nodeport] = await addressesIn(namespace);
  variants.push(
    { name: 'knative', url: ingress, host, selector: 'serving.knative.dev/service=functions' },
    { name: 'hpa', url: nodeport, selector: 'app.kubernetes.io/name=functions-hpa' },
  );
}

/**
 * Sends a request with curl: a GET, or a POST when there is a body.
 *
 * @param token is sent as a bearer token
 * @returns the JSON of the response
 * @throws Error when the status is not 2xx
 */
export async function sendRequest(
  { url, host }: Variant,
  path: string,
  body?: unknown,
  token?: string,
) {
  const args = ['-sS', '--fail-with-body', '--max-time', '20', url + path];
  if (host) args.push('-H', `Host: ${host}`);
  if (token) args.push('-H', `Authorization: Bearer ${token}`);
  if (body) args.push('-H', 'Content-Type: application/json', '-d', JSON.stringify(body));
  return JSON.parse(await run('curl', ...args));
}
