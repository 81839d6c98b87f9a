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
   * Says that a client sends or takes what this room is for. When others wait for room, and it has
   * moved less than 64 KiB in a second, it is turned out: whoever has been slow for longest first.
   * @param evict must lead to `release`
   */
  transfer(evict: () => void): Transfer;
  /** Gives all of it back. May be called more than once. */
  release(): void;
}

export interface Transfer {
  /** Tells of progress, in bytes. */
  moved(bytes: number): void;
  end(): void;
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

const slowBytes = 64 * 1024;
const slowMs = 1000;
/** After one client is turned out, until the next: its room is free when it was answered. */
const releaseMs = 50;

class Moving implements Transfer {
  #bytes = 0;
  /** Since when it has moved less than `slowBytes`. */
  since = performance.now();

  constructor(
    readonly kind: Kind,
    readonly evict: () => void,
    readonly end: () => void,
  ) {}

  moved(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < slowBytes) return;
    this.#bytes = 0;
    this.since = performance.now();
  }
}

export function createMemory(budgetBytes: number): Memory {
  const limits: Record<Kind, number> = { post: budgetBytes, read: (budgetBytes / 4) * 3 };
  const waiting: Record<Kind, Set<Waiter>> = { post: new Set(), read: new Set() };
  const transfers = new Set<Moving>();
  let held = 0;
  let heldByReads = 0;
  /** For when the slowest client may next be turned out. */
  let next: { at: number; timer: NodeJS.Timeout } | undefined;
  let lastOut = Number.NEGATIVE_INFINITY;

  function account(kind: Kind, bytes: number): void {
    held += bytes;
    if (kind === 'read') heldByReads += bytes;
  }

  function fits(kind: Kind, bytes: number): boolean {
    return held + bytes <= budgetBytes && (kind === 'post' || heldByReads + bytes <= limits.read);
  }

  class HeldRoom implements Room {
    #transfers: Moving[] = [];
    #released = false;

    constructor(
      readonly kind: Kind,
      public bytes: number,
    ) {
      account(kind, bytes);
    }

    resize(bytes: number): boolean {
      const more = bytes - this.bytes;
      if (more > 0 && (this.#released || !fits(this.kind, more))) return false;
      account(this.kind, more);
      this.bytes = bytes;
      if (more < 0) serve();
      return true;
    }

    transfer(evict: () => void): Transfer {
      const moving = new Moving(this.kind, evict, () => transfers.delete(moving));
      this.#transfers.push(moving);
      transfers.add(moving);
      serve();
      return moving;
    }

    release(): void {
      for (const moving of this.#transfers) transfers.delete(moving);
      this.resize(0);
      this.#released = true;
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
        waiter.grant(new HeldRoom(kind, waiter.bytes));
      }
    }
  }

  /** Sees to it that a client is turned out for this one as soon as one is slow. */
  function makeRoomFor(waiter: Waiter): void {
    const moving = slowestFor(waiter);
    if (!moving) return;
    const at = Math.max(moving.since + slowMs, lastOut + releaseMs);
    if (next && next.at <= at) return;
    clearTimeout(next?.timer);
    next = { at, timer: setTimeout(turnOut, Math.max(0, at - performance.now())) };
  }

  /** Turns out one at a time, as that may be enough. */
  function turnOut(): void {
    next = undefined;
    const [waiter] = [...waiting.post, ...waiting.read];
    const moving = waiter && !fits(waiter.kind, waiter.bytes) && slowestFor(waiter);
    if (moving && performance.now() - moving.since >= slowMs) {
      transfers.delete(moving);
      lastOut = performance.now();
      moving.evict();
    }
    serve();
  }

  function slowestFor({ kind, bytes }: Waiter): Moving | undefined {
    // where reads have all that is theirs, only they can help
    const isReads = kind === 'read' && heldByReads + bytes > limits.read;
    let slowest: Moving | undefined;
    for (const moving of transfers) {
      if (isReads && moving.kind !== 'read') continue;
      if (!slowest || moving.since < slowest.since) slowest = moving;
    }
    return slowest;
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
          serve(); // it may have been in the way of smaller ones
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
