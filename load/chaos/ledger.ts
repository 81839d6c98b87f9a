import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, type Target } from './client';
import { type Attempt, attemptOf, digestOf, type Entry, outcomeOf } from './record';
import { type Comparison, compare, type Found, type Reader } from './verdict';

export interface Options {
  /** Read anew for each request: whoever replaces one of them moves the clients. */
  targets: readonly Target[];
  /** How many clients post one document after the other; each begins with another target. */
  writers?: number;
  /** How long each waits between two documents, about, in ms. */
  pauseMs?: number;
  /** Whether every other document has an Idempotency-Key, and is posted until it is acknowledged. */
  keys?: boolean;
  /** After so many documents no more are posted: they are kept in memory, half a KiB each. */
  limit?: number;
}

export interface Document {
  /** What the document has besides, such as a large text. */
  more?: object;
  /** For which target it is first; others follow. */
  first: number;
  withKey?: boolean;
  stallMs?: number;
}

export interface Verdict extends Comparison {
  /** Ends of connections that nothing excuses, and requests without an answer. */
  unexplained: string[];
  /** Answers that no request should get: 500, refusals of what is right, and other documents. */
  wrongAnswers: string[];
  /** Ends of requests that are no posts, by what they asked for. */
  others: { outcome: string; requests: number }[];
  /** Of each target, by name: the longest time without a 201, in ms. */
  longestGapMs: Record<string, number>;
  /** What of the above must not be; empty when the service has kept its word. */
  failures: string[];
}

/** Keeps account of what is posted and answered. It begins with its writers at once. */
export interface Ledger {
  /** Posts one document, and again where it has a key, until it is acknowledged. */
  post(document: Document): Promise<void>;
  /**
   * Lists documents, and compares what is listed with what was posted.
   *
   * @param takeAfterMs how long nothing of the answer is read
   */
  list(target: Target, limit: number, takeAfterMs?: number): Promise<void>;
  /**
   * Explains ends of connections to a target.
   *
   * @param code of the errors that are meant, all without
   */
  excuse(target: Target, code?: string): void;
  /** When the targets of a name have acknowledged a post, as `performance.now()` tells it. */
  successes(name: string): readonly number[];
  /** Ends the writers, once what they have begun is done. */
  stop(): Promise<void>;
  compare(reader: Reader): Promise<Verdict>;
}

/** How often a document with a key is posted: for a minute and more. */
const tries = 60;

export function startLedger({
  targets,
  writers = 16,
  pauseMs = 100,
  keys = true,
  limit = 100_000,
}: Options): Ledger {
  const entries = new Map<unknown, Entry>();
  const others = new Map<string, number>();
  const excuses = new Map<Target, { since: number; code: string | undefined }[]>();
  const successes = new Map<string, number[]>();
  const unexplained: string[] = [];
  const wrongAnswers: string[] = [];
  const startedAt = performance.now();
  let stoppedAt = Number.POSITIVE_INFINITY;
  let count = 0;

  const targetOf = (number: number) => targets[number % targets.length] as Target;
  const seconds = (at: number) => `${((at - startedAt) / 1000).toFixed(2)} s`;

  function explained({ target, endedAt, code }: Attempt): boolean {
    const known = excuses.get(target) ?? [];
    return known.some((one) => endedAt >= one.since && (one.code ?? code) === code);
  }

  function check(what: string, attempt: Attempt): void {
    const { target, status, startedAt, endedAt } = attempt;
    const line = `${what} to ${target.name} from ${seconds(startedAt)} to ${seconds(endedAt)}: ${outcomeOf(attempt)}`;
    if (status === undefined) {
      if (!explained(attempt)) unexplained.push(line);
    } else if (status === 500 || (status >= 400 && status < 500 && !slowDown.has(status))) {
      wrongAnswers.push(line);
    }
  }

  /** @returns the answer's body, when its status is 200 */
  async function ask(
    what: string,
    target: Target,
    path: string,
    takeAfterMs = 0,
  ): Promise<string | undefined> {
    const { text, ...ended } = await send(target, { path, takeAfterMs });
    const attempt: Attempt = { target, ...ended };
    const outcome = `${what}: ${outcomeOf(attempt)}`;
    others.set(outcome, (others.get(outcome) ?? 0) + 1);
    check(what, attempt);
    return ended.status === 200 ? text : undefined;
  }

  function checkContent(what: string, { id, data }: Found): void {
    if (entries.get(data.nonce)?.digest === digestOf(JSON.stringify(data))) return;
    wrongAnswers.push(`${what} has another ${id} than was posted`);
  }

  /** Reads what one target acknowledged from the next. */
  async function readBack({ nonce, attempts }: Entry, target: Target): Promise<void> {
    const id = attempts.at(-1)?.id;
    if (attempts.at(-1)?.status !== 201) return;
    const text = await ask('a document', target, `/data/${id}`);
    if (text === undefined) return;
    const found = JSON.parse(text) as Found;
    checkContent('an answer', found);
    if (found.id !== id || found.data.nonce !== nonce) {
      wrongAnswers.push(`${found.id} was read as ${id}`);
    }
  }

  async function post({ more, first, withKey = false, stallMs = 0 }: Document): Promise<Entry> {
    const nonce = randomUUID();
    const body = JSON.stringify({ writer: first, n: count++, nonce, ...more });
    const entry: Entry = { nonce, digest: digestOf(body), attempts: [] };
    if (withKey) entry.key = randomUUID();
    entries.set(nonce, entry);
    const headers = entry.key && { 'Idempotency-Key': `"${entry.key}"` };
    for (let n = 0; ; n++) {
      const target = targetOf(first + n);
      const ended = await send(target, {
        method: 'POST',
        path: '/data',
        body,
        stallMs,
        ...(headers && { headers }),
      });
      const attempt = attemptOf(target, ended, entry.digest);
      entry.attempts.push(attempt);
      check('a post', attempt);
      if (attempt.status === 201) {
        const times = successes.get(target.name) ?? [];
        times.push(attempt.endedAt);
        successes.set(target.name, times);
      }
      const isFinal = attempt.status !== undefined && attempt.status < 500;
      if (!withKey || isFinal || n + 1 === tries) return entry;
      await sleep(Math.min(1000, 50 * 2 ** n) * (0.5 + Math.random()));
    }
  }

  async function write(writer: number): Promise<void> {
    for (let n = 0; performance.now() < stoppedAt && entries.size < limit; n++) {
      const more = { text: 'x'.repeat(Math.floor(Math.random() * 500)) };
      const entry = await post({ more, first: writer, withKey: keys && n % 2 === 0 });
      if (n % 8 === 0) await readBack(entry, targetOf(writer + 1));
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }

  const writing = Array.from({ length: writers }, (_, writer) => write(writer));

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
    async list(target, limit, takeAfterMs = 0) {
      const what = takeAfterMs ? 'a list, taken late' : 'a list';
      const text = await ask(what, target, `/data?limit=${limit}`, takeAfterMs);
      if (text === undefined) return;
      const { items } = JSON.parse(text) as { items: Found[] };
      const inOrder = items.every(({ id }, i) => i === 0 || id < (items[i - 1]?.id ?? ''));
      if (items.length > limit || !inOrder) wrongAnswers.push(`${what} that is too long or mixed`);
      for (const item of items) checkContent(what, item);
    },
    excuse(target, code) {
      const known = excuses.get(target) ?? [];
      excuses.set(target, [...known, { since: performance.now(), code }]);
    },
    successes: (name) => successes.get(name) ?? [],
    async stop() {
      stoppedAt = Math.min(stoppedAt, performance.now());
      await Promise.all(writing);
    },
    async compare(reader) {
      const compared = await compare(entries.values(), reader);
      const counted: [string, unknown[]][] = [
        ['acknowledged and missing', compared.missing],
        ['stored twice', compared.twice],
        ['mixed up', compared.mixedUp],
        ['stored, though nothing was sent', compared.lies],
        ['requests cut without an excuse', unexplained],
        ['wrong answers', wrongAnswers],
      ];
      const names = [...new Set(targets.map(({ name }) => name))];
      return {
        ...compared,
        unexplained,
        wrongAnswers,
        others: [...others].map(([outcome, requests]) => ({ outcome, requests })),
        longestGapMs: Object.fromEntries(names.map((name) => [name, longestGap(name)])),
        failures: counted
          .filter(([, list]) => list.length > 0)
          .map(([what, list]) => `${what}: ${list.length}`),
      };
    },
  };
}

/** Answers to clients that are too slow, or too many. */
const slowDown = new Set([408, 429]);
