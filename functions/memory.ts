import { Overloaded } from './errors';

/**
 * Who asks. Reads are turned away before posts: they get three quarters of the budget at most, and
 * wait behind every post.
 */
export type Kind = 'post' | 'read';

/** Memory that one request may use. */
export interface Room {
  /** How many bytes it holds. */
  readonly bytes: number;
  /** Gives back what is not needed, or takes more. @returns whether there was as much */
  resize(bytes: number): boolean;
  /**
   * Says that somebody keeps this room waiting: from `afterMs` on, when others wait for room, whoever
   * does so for the longest time is turned out.
   * @param evict must lead to `release`
   * @returns to be called when nobody keeps it waiting any more
   */
  evictable(afterMs: number, evict: () => void): () => void;
  /** Gives all of it back. May be called more than once. */
  release(): void;
}

/** Bounds what all requests in flight hold, in bytes. */
export interface Memory {
  /**
   * Takes room, in order of arrival.
   *
   * @param until how long to wait for it, in ms as `performance.now()` tells them
   * @throws {Overloaded} at that time, or at once when too many wait already
   */
  reserve(bytes: number, kind: Kind, until: number): Promise<Room>;
  /** Bytes that are held, and how many requests wait for more. */
  usage(): { bytes: number; waiting: number };
}

/**
 * Requests that wait for room. Each holds a connection and up to 64 KiB of its body that Node has
 * read already: some 84 MiB together.
 */
const MAX_WAITING = 1000;

interface Waiter {
  kind: Kind;
  bytes: number;
  grant(room: Room): void;
  refuse(): void;
}

interface Evictable {
  kind: Kind;
  from: number;
  evict: () => void;
}

export function createMemory(budgetBytes: number): Memory {
  const limits: Record<Kind, number> = { post: budgetBytes, read: (budgetBytes / 4) * 3 };
  const waiting: Record<Kind, Set<Waiter>> = { post: new Set(), read: new Set() };
  const evictables = new Set<Evictable>();
  let held = 0;
  let heldByReads = 0;
  let timer: NodeJS.Timeout | undefined;

  function account(kind: Kind, bytes: number): void {
    held += bytes;
    if (kind === 'read') heldByReads += bytes;
  }

  function fits(kind: Kind, bytes: number): boolean {
    return held + bytes <= budgetBytes && (kind === 'post' || heldByReads + bytes <= limits.read);
  }

  class HeldRoom implements Room {
    /** Of those who keep it waiting; most have none. */
    #entries: Evictable[] = [];

    constructor(
      readonly kind: Kind,
      public bytes: number,
    ) {
      account(kind, bytes);
    }

    resize(bytes: number): boolean {
      const more = bytes - this.bytes;
      if (more > 0 && !fits(this.kind, more)) return false;
      account(this.kind, more);
      this.bytes = bytes;
      if (more < 0) serve();
      return true;
    }

    evictable(afterMs: number, evict: () => void): () => void {
      const entry = { kind: this.kind, from: performance.now() + afterMs, evict };
      this.#entries.push(entry);
      evictables.add(entry);
      serve();
      return () => evictables.delete(entry);
    }

    release(): void {
      for (const entry of this.#entries) evictables.delete(entry);
      this.resize(0);
    }
  }

  /** Grants room to those who wait, in their order, posts first. */
  function serve(): void {
    for (const kind of ['post', 'read'] as const) {
      for (const waiter of waiting[kind]) {
        if (!fits(kind, waiter.bytes)) {
          makeRoomFor(waiter);
          return;
        }
        waiting[kind].delete(waiter);
        waiter.grant(new HeldRoom(kind, waiter.bytes));
      }
    }
  }

  /** Takes room back from whom it may be taken, now or when it may be. */
  function makeRoomFor({ kind, bytes }: Waiter): void {
    if (timer) return;
    // where reads have all that is theirs, only they can help
    const helps = (entry: Evictable) =>
      entry.kind === 'read' || kind === 'post' || heldByReads + bytes <= limits.read;
    const from = [...evictables].filter(helps).map((entry) => entry.from);
    if (from.length === 0) return;
    const next = Math.min(...from);
    timer = setTimeout(() => {
      timer = undefined;
      const now = performance.now();
      const oldest = [...evictables].find((entry) => helps(entry) && entry.from <= now);
      if (oldest && waiting.post.size + waiting.read.size > 0) {
        evictables.delete(oldest);
        oldest.evict();
      }
      serve();
    }, next - performance.now());
  }

  function wait(kind: Kind, bytes: number, until: number): Promise<Room> {
    if (waiting.post.size + waiting.read.size >= MAX_WAITING) {
      const last = kind === 'post' ? [...waiting.read].at(-1) : undefined;
      if (!last) throw new Overloaded('too many requests wait for memory');
      last.refuse();
    }
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(late);
        waiting[kind].delete(waiter);
      };
      const waiter: Waiter = {
        kind,
        bytes,
        grant(room) {
          end();
          resolve(room);
        },
        refuse() {
          end();
          reject(new Overloaded('no memory became free in time'));
        },
      };
      const late = setTimeout(() => waiter.refuse(), Math.max(0, until - performance.now()));
      waiting[kind].add(waiter);
      serve();
    });
  }

  return {
    async reserve(wanted, kind, until) {
      // what is larger than all that there is gets all that there is
      const bytes = Math.min(wanted, limits[kind]);
      const isFirst = waiting.post.size === 0 && (kind === 'post' || waiting.read.size === 0);
      return isFirst && fits(kind, bytes) ? new HeldRoom(kind, bytes) : wait(kind, bytes, until);
    },
    usage: () => ({ bytes: held, waiting: waiting.post.size + waiting.read.size }),
  };
}
