import * as assert from 'uvu/assert';
import { kubectl, namespace, run } from './commands';
import { retry } from './retry';
import type { Variant } from './variants';

/** @returns names such as `pod/functions-hpa-5c4-x2` of the pods that are not terminating */
export async function podsOf(variant: Variant): Promise<string[]> {
  return (await findPods(variant)).map(({ name }) => name);
}

async function readyPodsOf(variant: Variant): Promise<string[]> {
  return (await findPods(variant)).filter(({ ready }) => ready).map(({ name }) => name);
}

interface Pod {
  metadata: { name: string; deletionTimestamp?: string };
  status: { conditions?: { type: string; status: string }[] };
}

async function findPods({ selector }: Variant): Promise<{ name: string; ready: boolean }[]> {
  const { items } = JSON.parse(await kubectl('get', 'pods', '-l', selector, '-o', 'json'));
  return (items as Pod[])
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ metadata, status: { conditions = [] } }) => ({
      name: `pod/${metadata.name}`,
      ready: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    }));
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

/** Evicts all pods of a variant, one after another, as its PodDisruptionBudget allows it. */
export async function evictAll(variant: Variant): Promise<void> {
  for (const pod of await podsOf(variant)) {
    await retry(() => evictPod(pod));
    await waitUntilReady(variant);
  }
}

/**
 * Drains a node of a variant's pods, and uncordons it. If there is no other node, replacements are
 * scheduled only then, so the budget has to keep a replica.
 */
export async function drainNode(variant: Variant): Promise<void> {
  const [pod] = await podsOf(variant);
  const node = await kubectl('get', pod as string, '-o', 'jsonpath={.spec.nodeName}');
  const selector = ['--pod-selector', variant.selector, '--delete-emptydir-data'];
  try {
    await kubectl('drain', node, ...selector, '--timeout', '20s').catch((error) => {
      assert.match(error.message, /timeout/);
    });
    assert.ok((await readyPodsOf(variant)).length > 0, 'no replica is left');
  } finally {
    await kubectl('uncordon', node);
  }
  await waitUntilReady(variant);
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
