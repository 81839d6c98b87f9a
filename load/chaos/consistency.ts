import { type Attempt, digestOf, type LedgerEntry, outcomeOf } from './attempt';

/** A document that is stored at the end. */
export interface StoredDocument {
  id: string;
  data: { nonce?: unknown };
}

/** Where all stored documents can be read from. */
export interface DocumentSource {
  /** Whether they come in the order in which they were inserted. */
  inInsertionOrder: boolean;
  read(): AsyncIterable<StoredDocument>;
}

/** One outcome of posts, and the fate of documents whose last post had it. */
export interface Outcome {
  outcome: string;
  posts: number;
  /** Documents that were never acknowledged, and whose last post ended so. */
  documents: number;
  /** How many of these are stored nevertheless. */
  stored: number;
}

/** The posted documents compared with the stored ones. Lists have a line for each document. */
export interface Consistency {
  documents: number;
  withKey: number;
  acknowledged: number;
  stored: number;
  /** Acknowledged but not stored. */
  missing: string[];
  /** Stored under more than one id. */
  duplicates: string[];
  /** Stored or returned with the wrong content or id, or never posted. */
  corrupted: string[];
  /** Stored although every response claimed that nothing was sent. */
  deniedButStored: string[];
  outcomes: Outcome[];
  /**
   * Documents that were stored after the 5xx that was their last response; undefined when the source
   * is not in insertion order. Such a document was inserted after one that was first posted later
   * than that 5xx; `maxMs` is the largest such delay.
   */
  storedLate?: { documents: number; maxMs: number };
}

/** Compares the posted documents with the stored ones. */
export async function checkConsistency(
  entries: Iterable<LedgerEntry>,
  source: DocumentSource,
): Promise<Consistency> {
  const byNonce = new Map<unknown, LedgerEntry>();
  for (const entry of entries) byNonce.set(entry.nonce, entry);
  const ids = new Map<LedgerEntry, string[]>();
  const corrupted: string[] = [];
  const storedLate = { documents: 0, maxMs: 0 };
  let stored = 0;
  let latestPost = 0;

  for await (const { id, data } of source.read()) {
    stored++;
    const entry = byNonce.get(data.nonce);
    if (!entry) {
      corrupted.push(`${id} was never posted`);
      continue;
    }
    if (digestOf(JSON.stringify(data)) !== entry.digest) {
      corrupted.push(`${id} differs from what was posted as ${entry.nonce}`);
    }
    ids.set(entry, [...(ids.get(entry) ?? []), id]);
    const last = entry.attempts.at(-1);
    const delay = latestPost - (last?.endedAt ?? Number.POSITIVE_INFINITY);
    if (isServerError(last) && !isAcknowledged(entry) && delay > 0) {
      storedLate.documents++;
      storedLate.maxMs = Math.max(storedLate.maxMs, Math.round(delay));
    }
    latestPost = Math.max(latestPost, entry.attempts[0]?.startedAt ?? 0);
  }

  const all = [...byNonce.values()];
  for (const entry of all) corrupted.push(...wrongResponses(entry, ids.get(entry) ?? []));
  return {
    documents: all.length,
    withKey: all.filter(({ key }) => key !== undefined).length,
    acknowledged: all.filter(isAcknowledged).length,
    stored,
    missing: all.filter((entry) => isAcknowledged(entry) && !ids.has(entry)).map(describe),
    duplicates: all.filter((entry) => (ids.get(entry)?.length ?? 0) > 1).map(describe),
    corrupted,
    deniedButStored: all
      .filter(({ attempts }) => attempts.every(({ claim }) => claim === 'nothing was sent'))
      .filter((entry) => ids.has(entry))
      .map(describe),
    outcomes: outcomesOf(all, ids),
    ...(source.inInsertionOrder && { storedLate }),
  };
}

const isAcknowledged = ({ attempts }: LedgerEntry) => attempts.some(({ status }) => status === 201);
const isServerError = (attempt?: Attempt) => (attempt?.status ?? 0) >= 500;

function describe({ nonce, key, attempts }: LedgerEntry): string {
  const outcomes = attempts.map((attempt) => `${outcomeOf(attempt)} ${attempt.id ?? ''}`.trim());
  return `${nonce}${key ? ' with a key' : ''} (${outcomes.slice(-5).join('; ')})`;
}

/** Responses with an id that is not stored, or with other content than was posted. */
function wrongResponses(entry: LedgerEntry, storedIds: string[]): string[] {
  const wrong: string[] = [];
  for (const { status, id, hasPostedContent } of entry.attempts) {
    if (hasPostedContent === false) wrong.push(`${describe(entry)}: the 201 had other content`);
    // with a key, an error may name an id that gives way to the one of an earlier attempt
    const isBinding = status === 201 || (!entry.key && id !== undefined);
    if (isBinding && storedIds.length > 0 && !storedIds.includes(id ?? '')) {
      wrong.push(`${describe(entry)}: stored as ${storedIds}`);
    }
  }
  return wrong;
}

function outcomesOf(entries: LedgerEntry[], ids: Map<LedgerEntry, string[]>): Outcome[] {
  const outcomes = new Map<string, Outcome>();
  const at = (attempt: Attempt) => {
    const name = outcomeOf(attempt);
    const outcome = outcomes.get(name) ?? { outcome: name, posts: 0, documents: 0, stored: 0 };
    outcomes.set(name, outcome);
    return outcome;
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
