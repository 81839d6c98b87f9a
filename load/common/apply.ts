import { shell } from './cluster';

/** `kubectl apply` for objects of the Kubernetes API. */
export async function applyObjects(items: object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await shell(`k apply --filename - >/dev/null <<'END'\n${list}\nEND`);
}
