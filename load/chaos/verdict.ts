import { type Attempt, digestOf, type Entry, outcomeOf } from './record';

/** A document as it is found in the end. */
export interface Found {
  id: string;
  data: { nonce?: unknown };
}

/** Reads all documents. */
export interface Reader {
  /** Whether they come in the order in which they were stored. */
  inOrderOfStorage: boolean;
  read(): AsyncIterable<Found>;
}

/** How often posts ended so, and what became of the documents whose last post did. */
export interface Outcome {
  outcome: string;
  posts: number;
  /** Never acknowledged. */
  documents: number;
  stored: number;
}

/** What the comparison of what was posted with what is stored has shown. Lists name documents. */
export interface Comparison {
  documents: number;
  withKey: number;
  acknowledged: number;
  stored: number;
  /** Acknowledged, and not stored. */
  missing: string[];
  /** Stored under more than one id. */
  twice: string[];
  /** Stored or answered with other content or another id than it should, or posted by nobody. */
  mixedUp: string[];
  /** Stored, though each answer said that nothing was sent. */
  lies: string[];
  outcomes: Outcome[];
  /**
   * Stored after the 5xx that was the last answer; undefined when the reader can't tell. Such a
   * document stands behind one that was first posted later than that answer: by how many ms at
   * most is what `mostMs` tells.
   */
  late?: { documents: number; mostMs: number };
}

/** Compares what was posted with what is stored. */
export async function compare(entries: Iterable<Entry>, reader: Reader): Promise<Comparison> {
  const byNonce = new Map<unknown, Entry>();
  for (const entry of entries) byNonce.set(entry.nonce, entry);
  const ids = new Map<Entry, string[]>();
  const mixedUp: string[] = [];
  const late = { documents: 0, mostMs: 0 };
  let stored = 0;
  let latestPost = 0;

  for await (const { id, data } of reader.read()) {
    stored++;
    const entry = byNonce.get(data.nonce);
    if (!entry) {
      mixedUp.push(`${id} was posted by nobody`);
      continue;
    }
    if (digestOf(JSON.stringify(data)) !== entry.digest) {
      mixedUp.push(`${id} is not what was posted as ${entry.nonce}`);
    }
    ids.set(entry, [...(ids.get(entry) ?? []), id]);
    const last = entry.attempts.at(-1);
    const since = latestPost - (last?.endedAt ?? Number.POSITIVE_INFINITY);
    if (isServerError(last) && !isAcknowledged(entry) && since > 0) {
      late.documents++;
      late.mostMs = Math.max(late.mostMs, Math.round(since));
    }
    latestPost = Math.max(latestPost, entry.attempts[0]?.startedAt ?? 0);
  }

  const all = [...byNonce.values()];
  for (const entry of all) mixedUp.push(...wrongIds(entry, ids.get(entry) ?? []));
  return {
    documents: all.length,
    withKey: all.filter(({ key }) => key !== undefined).length,
    acknowledged: all.filter(isAcknowledged).length,
    stored,
    missing: all.filter((entry) => isAcknowledged(entry) && !ids.has(entry)).map(nameOf),
    twice: all.filter((entry) => (ids.get(entry)?.length ?? 0) > 1).map(nameOf),
    mixedUp,
    lies: all
      .filter(({ attempts }) => attempts.every(({ said }) => said === 'nothing was sent'))
      .filter((entry) => ids.has(entry))
      .map(nameOf),
    outcomes: outcomesOf(all, ids),
    ...(reader.inOrderOfStorage && { late }),
  };
}

const isAcknowledged = ({ attempts }: Entry) => attempts.some(({ status }) => status === 201);
const isServerError = (attempt?: Attempt) => (attempt?.status ?? 0) >= 500;

function nameOf({ nonce, key, attempts }: Entry): string {
  const named = attempts.map((attempt) => `${outcomeOf(attempt)} ${attempt.id ?? ''}`.trim());
  return `${nonce}${key ? ' with a key' : ''} (${named.slice(-5).join('; ')})`;
}

/** What answers named and is not there, or had other content than was posted. */
function wrongIds(entry: Entry, stored: string[]): string[] {
  const wrong: string[] = [];
  for (const { status, id, same } of entry.attempts) {
    if (same === false) wrong.push(`${nameOf(entry)}: the 201 had other content`);
    // an id that an attempt with a key was given may give way to the one it was stored under first
    const counts = status === 201 || (!entry.key && id !== undefined);
    if (counts && stored.length > 0 && !stored.includes(id ?? '')) {
      wrong.push(`${nameOf(entry)}: stored as ${stored}`);
    }
  }
  return wrong;
}

function outcomesOf(entries: Entry[], ids: Map<Entry, string[]>): Outcome[] {
  const outcomes = new Map<string, Outcome>();
  const at = (attempt: Attempt) => {
    const outcome = outcomeOf(attempt);
    const known = outcomes.get(outcome) ?? { outcome, posts: 0, documents: 0, stored: 0 };
    outcomes.set(outcome, known);
    return known;
  };
  for (const entry of entries) {
    for (const attempt of entry.attempts) at(attempt).posts++;
    const last = entry.attempts.at(-1);
    if (!last || isAcknowledged(entry)) continue;
    at(last).documents++;
    if (ids.has(entry)) at(last).stored++;
  }
  return [...outcomes.values()].sort((a, b) => b.posts - a.posts);
}
