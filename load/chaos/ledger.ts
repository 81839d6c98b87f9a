import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attempt, attemptOf, digestOf, type LedgerEntry, outcomeOf } from './attempt';
import {
  type Consistency,
  checkConsistency,
  type DocumentSource,
  type StoredDocument,
} from './consistency';
import { sendRequest, type Target } from './http-client';

export interface LedgerOptions {
  /** Read for each request, so that replacing one moves its clients. */
  targets: readonly Target[];
  /** The number of writers, which post one document after the other; each starts at another target. */
  writers?: number;
  /** The average pause between two documents of a writer, in ms. */
  pauseMs?: number;
  /** Whether every other document has an Idempotency-Key, and is posted until it is acknowledged. */
  keys?: boolean;
  /** The most documents to post, as each takes about half a KiB of memory. */
  limit?: number;
}

export interface DocumentOptions {
  /** More fields for the document, such as a large text. */
  fields?: object;
  /** The index of the first target; retries go to the ones after it. */
  firstTarget: number;
  withKey?: boolean;
  /** How long the last byte of the body is held back, in ms. */
  stallMs?: number;
}

export interface Verdict extends Consistency {
  /** Connection errors that were not expected, and requests that timed out. */
  unexpectedErrors: string[];
  /** Responses that no request should get: 500, 4xx to valid requests, and wrong documents. */
  wrongResponses: string[];
  /** The outcomes of requests other than posts. */
  otherRequests: { outcome: string; requests: number }[];
  /** The longest time without a 201, by target name, in ms. */
  longestGapMs: Record<string, number>;
  /** What must not have happened; empty when the service kept its promises. */
  failures: string[];
}

/** Posts documents, records the outcome of every request, and checks what is stored at the end. */
export interface Ledger {
  /** Posts one document; with a key, until it is acknowledged. */
  post(document: DocumentOptions): Promise<void>;
  /**
   * Lists documents and compares them with what was posted.
   *
   * @param readAfterMs how long the client waits before it reads the response
   */
  list(target: Target, limit: number, readAfterMs?: number): Promise<void>;
  /**
   * Expects connection errors of a target from now on.
   *
   * @param code the error code to expect; any when undefined
   */
  expectErrors(target: Target, code?: string): void;
  /** When the targets of that name acknowledged posts, as times of `performance.now()`. */
  successes(name: string): readonly number[];
  /** Stops the writers, and waits for the requests in flight. */
  stop(): Promise<void>;
  /** Compares the recorded outcomes with what is stored. */
  check(source: DocumentSource): Promise<Verdict>;
}

/** How often a document with a key is posted, at most: retries go on for about a minute. */
const maxAttempts = 60;

/** Responses to clients that are too slow, or send too much. */
const slowDownStatuses = new Set([408, 429]);

/** Opens a ledger, and starts its writers. */
export function startLedger({
  targets,
  writers = 16,
  pauseMs = 100,
  keys = true,
  limit = 100_000,
}: LedgerOptions): Ledger {
  const entries = new Map<unknown, LedgerEntry>();
  const otherRequests = new Map<string, number>();
  const expected = new Map<Target, { since: number; code: string | undefined }[]>();
  const successes = new Map<string, number[]>();
  const unexpectedErrors: string[] = [];
  const wrongResponses: string[] = [];
  const startedAt = performance.now();
  let stoppedAt = Number.POSITIVE_INFINITY;
  let count = 0;

  const targetAt = (index: number) => targets[index % targets.length] as Target;
  const formatTime = (at: number) => `${((at - startedAt) / 1000).toFixed(2)} s`;

  function isExpected({ target, endedAt, code }: Attempt): boolean {
    const rules = expected.get(target) ?? [];
    return rules.some((rule) => endedAt >= rule.since && (rule.code ?? code) === code);
  }

  function recordFaults(what: string, attempt: Attempt): void {
    const { target, status, startedAt, endedAt } = attempt;
    const line = `${what} to ${target.name}, ${formatTime(startedAt)} to ${formatTime(endedAt)}: ${outcomeOf(attempt)}`;
    if (status === undefined) {
      if (!isExpected(attempt)) unexpectedErrors.push(line);
    } else if (status === 500 || (status >= 400 && status < 500 && !slowDownStatuses.has(status))) {
      wrongResponses.push(line);
    }
  }

  /** @returns the body of a 200; undefined for any other outcome */
  async function get(
    what: string,
    target: Target,
    path: string,
    readAfterMs = 0,
  ): Promise<string | undefined> {
    const { text, ...result } = await sendRequest(target, { path, readAfterMs });
    const attempt: Attempt = { target, ...result };
    const outcome = `${what}: ${outcomeOf(attempt)}`;
    otherRequests.set(outcome, (otherRequests.get(outcome) ?? 0) + 1);
    recordFaults(what, attempt);
    return result.status === 200 ? text : undefined;
  }

  function checkContent(what: string, { id, data }: StoredDocument): void {
    if (entries.get(data.nonce)?.digest === digestOf(JSON.stringify(data))) return;
    wrongResponses.push(`${what}: ${id} differs from what was posted`);
  }

  /** Reads a document that one target acknowledged from another one. */
  async function readBack({ nonce, attempts }: LedgerEntry, target: Target): Promise<void> {
    const id = attempts.at(-1)?.id;
    if (attempts.at(-1)?.status !== 201) return;
    const what = 'read by id';
    const text = await get(what, target, `/data/${id}`);
    if (text === undefined) return;
    const found = JSON.parse(text) as StoredDocument;
    checkContent(what, found);
    if (found.id !== id || found.data.nonce !== nonce) {
      wrongResponses.push(`${what}: ${found.id} was returned for ${id}`);
    }
  }

  async function post(document: DocumentOptions): Promise<LedgerEntry> {
    const { fields, firstTarget, withKey = false, stallMs = 0 } = document;
    const nonce = randomUUID();
    const body = JSON.stringify({ writer: firstTarget, n: count++, nonce, ...fields });
    const entry: LedgerEntry = { nonce, digest: digestOf(body), attempts: [] };
    if (withKey) entry.key = randomUUID();
    entries.set(nonce, entry);
    const headers = entry.key && { 'Idempotency-Key': `"${entry.key}"` };
    for (let n = 0; ; n++) {
      const target = targetAt(firstTarget + n);
      const result = await sendRequest(target, {
        method: 'POST',
        path: '/data',
        body,
        stallMs,
        ...(headers && { headers }),
      });
      const attempt = attemptOf(target, result, entry.digest);
      entry.attempts.push(attempt);
      recordFaults('post', attempt);
      if (attempt.status === 201) {
        const times = successes.get(target.name) ?? [];
        times.push(attempt.endedAt);
        successes.set(target.name, times);
      }
      const isFinal = attempt.status !== undefined && attempt.status < 500;
      if (!withKey || isFinal || n + 1 === maxAttempts) return entry;
      await sleep(Math.min(1000, 50 * 2 ** n) * (0.5 + Math.random()));
    }
  }

  async function runWriter(writer: number): Promise<void> {
    for (let n = 0; performance.now() < stoppedAt && entries.size < limit; n++) {
      const fields = { text: 'x'.repeat(Math.floor(Math.random() * 500)) };
      const entry = await post({ fields, firstTarget: writer, withKey: keys && n % 2 === 0 });
      if (n % 8 === 0) await readBack(entry, targetAt(writer + 1));
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }

  const running = Array.from({ length: writers }, (_, writer) => runWriter(writer));

  function longestGap(name: string): number {
    const end = Math.min(stoppedAt, performance.now());
    const times = [startedAt, ...(successes.get(name) ?? []).filter((at) => at < end), end];
    let longest = 0;
    for (const [i, at] of times.entries()) longest = Math.max(longest, at - (times[i - 1] ?? at));
    return Math.round(longest);
  }

  return {
    async post(document) {
      await post(document);
    },
    async list(target, limit, readAfterMs = 0) {
      const what = readAfterMs ? 'list, read late' : 'list';
      const text = await get(what, target, `/data?limit=${limit}`, readAfterMs);
      if (text === undefined) return;
      const { items } = JSON.parse(text) as { items: StoredDocument[] };
      const isSorted = items.every(({ id }, i) => i === 0 || id < (items[i - 1]?.id ?? ''));
      if (items.length > limit || !isSorted) {
        wrongResponses.push(`${what}: too many documents, or in the wrong order`);
      }
      for (const item of items) checkContent(what, item);
    },
    expectErrors(target, code) {
      const rules = expected.get(target) ?? [];
      expected.set(target, [...rules, { since: performance.now(), code }]);
    },
    successes: (name) => successes.get(name) ?? [],
    async stop() {
      stoppedAt = Math.min(stoppedAt, performance.now());
      await Promise.all(running);
    },
    async check(source) {
      const consistency = await checkConsistency(entries.values(), source);
      const faults: [string, unknown[]][] = [
        ['acknowledged but missing', consistency.missing],
        ['stored more than once', consistency.duplicates],
        ['wrong content or id', consistency.corrupted],
        ['stored although nothing was sent', consistency.deniedButStored],
        ['unexpected connection errors', unexpectedErrors],
        ['wrong responses', wrongResponses],
      ];
      const names = [...new Set(targets.map(({ name }) => name))];
      return {
        ...consistency,
        unexpectedErrors,
        wrongResponses,
        otherRequests: [...otherRequests].map(([outcome, requests]) => ({ outcome, requests })),
        longestGapMs: Object.fromEntries(names.map((name) => [name, longestGap(name)])),
        failures: faults
          .filter(([, lines]) => lines.length > 0)
          .map(([fault, lines]) => `${fault}: ${lines.length}`),
      };
    },
  };
}
