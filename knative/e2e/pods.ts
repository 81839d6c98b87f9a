import * as assert from 'uvu/assert';
import { kubectl, namespace, run } from './commands';
import { retry } from './retry';
import type { Variant } from './variants';

/** @returns names such as `pod/functions-hpa-5c4-x2` of the pods that are not terminating */
export async function podsOf({ selector }: Variant): Promise<string[]> {
  const json = await kubectl('get', 'pods', '-l', selector, '-o', 'json');
  const { items } = JSON.parse(json) as { items: { metadata: Record<string, string> }[] };
  return items
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ metadata }) => `pod/${metadata.name}`);
}

/** Waits until a variant has at least two pods, and all that are not terminating are ready. */
export async function waitUntilReady(variant: Variant): Promise<void> {
  await retry(async () => {
    const pods = await podsOf(variant);
    assert.ok(pods.length >= 2);
    await kubectl('wait', '--for', 'condition=Ready', ...pods, '--timeout', '120s');
  });
}

export function deletePod(pod: string): Promise<string> {
  return kubectl('delete', pod, '--wait=false');
}

/** Evicts a pod, as `kubectl drain` does. */
export function evictPod(pod: string): Promise<string> {
  const name = pod.replace('pod/', '');
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  const script = `kubectl create --raw ${path} -f - <<<'${JSON.stringify(eviction)}'`;
  return run('bash', '-c', script);
}

/**
 * Gets a container OOM-killed. Many small processes use up its memory, so that the largest process,
 * which the kernel kills, is the container's own.
 */
export async function exhaustMemory(pod: string, container: string): Promise<void> {
  const hogs = 'for _ in $(seq 40); do tail /dev/zero & done; wait';
  await kubectl('exec', pod, '-c', container, '--', 'sh', '-c', hogs).catch(() => {});
  const status = `.status.containerStatuses[?(@.name=="${container}")]`;
  const reason = await retry(async () => {
    const path = `jsonpath={${status}.lastState.terminated.reason}`;
    const reason = await kubectl('get', pod, '-o', path);
    assert.ok(reason, `${pod} was not terminated`);
    return reason;
  });
  assert.is(reason, 'OOMKilled');
}

/** Deletes the pod of MongoDB, and waits until its successor is ready. */
export async function restartMongo(): Promise<void> {
  await kubectl('delete', 'pod', 'mongo-0');
  await waitForMongo();
}

export async function waitForMongo(): Promise<void> {
  await kubectl('rollout', 'status', 'statefulset', 'mongo', '--timeout', '180s');
}
