import { handmade, kubectl, namespace } from './commands';

const label = 'functions-on-knative/end-to-end-test';
let areOurs = false;

/**
 * Creates the namespace of the test, and deletes what an earlier test has left.
 *
 * @throws Error if a namespace of that name has not been created by such a test
 */
export async function createNamespace(): Promise<void> {
  const names = [namespace, handmade];
  const others = await kubectl('get', 'namespaces', '--selector', `!${label}`, '-o', 'name');
  const taken = names.find((name) => others.split('\n').includes(`namespace/${name}`));
  if (taken !== undefined) {
    throw new Error(
      `The namespace ${taken} exists, and this test would delete it: set NAMESPACE to another name, or delete it.`,
    );
  }
  areOurs = true;
  await kubectl('delete', 'namespace', ...names, '--ignore-not-found');
  await kubectl('create', 'namespace', namespace);
  await markNamespace(namespace);
}

/** Marks a namespace as one that a test may delete. */
export async function markNamespace(name: string): Promise<void> {
  await kubectl('label', 'namespace', name, `${label}=true`);
}

/** Deletes the namespaces of this test, if it has any. */
export async function deleteNamespaces(): Promise<void> {
  if (!areOurs) return;
  await kubectl('delete', 'namespace', namespace, handmade, '--ignore-not-found', '--wait=false');
}
