/** A response to one of the page's requests, or that there was none. */
export interface Sighting {
  /** When it came, in ms on the clock of `performance.now()`. */
  at: number;
  ms: number;
  /** The header X-Served-By. */
  servedBy: string | null;
  failed: boolean;
}

/** A replica, with its answers in the last minute. */
export interface Lane {
  key: string;
  name: string;
  /** What it belongs to, such as `Knative, revision functions-00002`. */
  from: string;
  failed: boolean;
  medianMs: number;
  sightings: Sighting[];
}

export const windowMs = 60_000;

/** Groups the answers of the last minute by replica, in an order that stays. Failures are last. */
export function lanes(sightings: Sighting[], now: number): Lane[] {
  const groups = new Map<string, Sighting[]>();
  for (const sighting of sightings) {
    if (now - sighting.at >= windowMs) continue;
    const key = sighting.failed ? '!' : (sighting.servedBy ?? '');
    const group = groups.get(key);
    if (group) group.push(sighting);
    else groups.set(key, [sighting]);
  }
  return [...groups]
    .map(([key, group]) => ({
      key,
      ...describe(key),
      medianMs: median(group.map(({ ms }) => ms)),
      sightings: group,
    }))
    .sort((a, b) => Number(a.failed) - Number(b.failed) || compare(order(a), order(b)));
}

/**
 * Names a replica. The header is `POD; revision=REVISION` under Knative, and the pod alone in the
 * Deployment, where the ReplicaSet's hash in the pod's name tells revisions apart.
 */
function describe(servedBy: string): Pick<Lane, 'name' | 'from' | 'failed'> {
  if (servedBy === '!') return { name: 'failed', from: 'no answer, or a 5xx', failed: true };
  if (servedBy === '')
    return { name: 'this service', from: 'replicas have names only in a container', failed: false };
  const [pod = '', revision] = servedBy.split('; revision=');
  if (revision) {
    const name = pod.split('-').at(-1) ?? pod;
    return { name, from: `Knative · ${revision}`, failed: false };
  }
  const [, deployment, hash, suffix] = /^(.+)-([a-z0-9]{6,10})-([a-z0-9]{5})$/.exec(pod) ?? [];
  if (suffix) return { name: suffix, from: `${deployment} · ${hash}`, failed: false };
  return { name: pod, from: 'container', failed: false };
}

const order = ({ from, name }: Lane) => `${from} ${name}`;

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
