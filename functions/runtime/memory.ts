import { Overloaded } from './errors';

/**
 * The kind of a request. Posts come first: reads get at most three quarters of the budget, wait
 * behind every post, and are turned away before posts.
 */
export type Kind = 'post' | 'read';

/** Memory reserved for one request. */
export interface Reservation {
  readonly bytes: number;
  /** Shrinks or grows the reservation. @returns false if there is not enough memory to grow */
  resize(bytes: number): boolean;
  /**
   * Tracks a client that is sending or receiving what this memory is for. While other requests wait
   * for memory, a client that has moved less than 64 KiB within a second is evicted, the one that
   * has been slow for longest first.
   *
   * @param evict must lead to `release`
   */
  trackTransfer(evict: () => void): Transfer;
  /** Frees the memory. May be called more than once. */
  release(): void;
}

/** A body that a client is sending or receiving. */
export interface Transfer {
  /** Reports progress. */
  moved(bytes: number): void;
  end(): void;
}

/** A budget, in bytes, for all requests in flight. */
export interface Memory {
  /**
   * Reserves memory, in order of arrival.
   *
   * @param deadline how long to wait for it, in ms on the clock of `performance.now()`
   * @throws {Overloaded} at the deadline, or at once if too many requests are waiting
   */
  reserve(bytes: number, kind: Kind, deadline: number): Promise<Reservation>;
  /** Bytes that are reserved, and the number of requests that wait for memory. */
  usage(): { bytes: number; waiting: number };
  /** Bytes that the waiting requests need. */
  waitingBytes(): number;
}

/**
 * Requests that may wait for memory. Each holds a connection and up to 64 KiB of its body that Node
 * has already read: some 84 MiB together.
 */
const MAX_WAITING = 1000;

/** A client is slow if it moves less than `slowBytes` within `slowMs`. */
const slowBytes = 64 * 1024;
const slowMs = 1000;

/** Between two evictions: the memory of the first is free once its client got the response. */
const evictionIntervalMs = 50;

interface Waiter {
  kind: Kind;
  bytes: number;
  grant(reservation: Reservation): void;
  reject(): void;
}

class TrackedTransfer implements Transfer {
  #bytes = 0;
  /** When it last had moved `slowBytes`. */
  slowSince = performance.now();

  constructor(
    readonly kind: Kind,
    readonly evict: () => void,
    readonly end: () => void,
  ) {}

  moved(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < slowBytes) return;
    this.#bytes = 0;
    this.slowSince = performance.now();
  }
}

/** @param lacking the reason that requests are turned away with */
export function createMemory(budgetBytes: number, lacking: 'memory' | 'turn' = 'memory'): Memory {
  const limits: Record<Kind, number> = { post: budgetBytes, read: (budgetBytes / 4) * 3 };
  const waiting: Record<Kind, Set<Waiter>> = { post: new Set(), read: new Set() };
  const transfers = new Set<TrackedTransfer>();
  let reserved = 0;
  let reservedByReads = 0;
  let nextEviction: { at: number; timer: NodeJS.Timeout } | undefined;
  let lastEvictionAt = Number.NEGATIVE_INFINITY;

  function add(kind: Kind, bytes: number): void {
    reserved += bytes;
    if (kind === 'read') reservedByReads += bytes;
  }

  function fits(kind: Kind, bytes: number): boolean {
    return (
      reserved + bytes <= budgetBytes && (kind === 'post' || reservedByReads + bytes <= limits.read)
    );
  }

  class BudgetReservation implements Reservation {
    #transfers: TrackedTransfer[] = [];
    #released = false;

    constructor(
      readonly kind: Kind,
      public bytes: number,
    ) {
      add(kind, bytes);
    }

    resize(bytes: number): boolean {
      const more = bytes - this.bytes;
      if (more > 0 && (this.#released || !fits(this.kind, more))) return false;
      add(this.kind, more);
      this.bytes = bytes;
      if (more < 0) grantWaiting();
      return true;
    }

    trackTransfer(evict: () => void): Transfer {
      const transfer = new TrackedTransfer(this.kind, evict, () => transfers.delete(transfer));
      if (this.#released) return transfer; // the client is gone already
      this.#transfers.push(transfer);
      transfers.add(transfer);
      grantWaiting();
      return transfer;
    }

    release(): void {
      for (const transfer of this.#transfers) transfers.delete(transfer);
      this.resize(0);
      this.#released = true;
    }
  }

  /** Grants memory to the waiting requests, in order, posts first, until it does not suffice. */
  function grantWaiting(): void {
    for (const kind of ['post', 'read'] as const) {
      for (const waiter of waiting[kind]) {
        if (!fits(kind, waiter.bytes)) {
          scheduleEviction(waiter);
          return;
        }
        waiter.grant(new BudgetReservation(kind, waiter.bytes));
      }
    }
  }

  /** Schedules an eviction in favour of a request, for when a client counts as slow. */
  function scheduleEviction(waiter: Waiter): void {
    const slowest = slowestTransferFor(waiter);
    if (!slowest) return;
    const at = Math.max(slowest.slowSince + slowMs, lastEvictionAt + evictionIntervalMs);
    if (nextEviction && nextEviction.at <= at) return;
    clearTimeout(nextEviction?.timer);
    nextEviction = { at, timer: setTimeout(evictSlowest, Math.max(0, at - performance.now())) };
  }

  /** Evicts one client, as that may be enough. */
  function evictSlowest(): void {
    nextEviction = undefined;
    const [waiter] = [...waiting.post, ...waiting.read];
    const slowest = waiter && !fits(waiter.kind, waiter.bytes) && slowestTransferFor(waiter);
    if (slowest && performance.now() - slowest.slowSince >= slowMs) {
      transfers.delete(slowest);
      lastEvictionAt = performance.now();
      slowest.evict();
    }
    grantWaiting();
  }

  function slowestTransferFor({ kind, bytes }: Waiter): TrackedTransfer | undefined {
    // beyond the share of reads, evicting a post would not help
    const onlyReads = kind === 'read' && reservedByReads + bytes > limits.read;
    let slowest: TrackedTransfer | undefined;
    for (const transfer of transfers) {
      if (onlyReads && transfer.kind !== 'read') continue;
      if (!slowest || transfer.slowSince < slowest.slowSince) slowest = transfer;
    }
    return slowest;
  }

  function waitingCount(): number {
    return waiting.post.size + waiting.read.size;
  }

  function enqueue(kind: Kind, bytes: number, deadline: number): Promise<Reservation> {
    if (waitingCount() >= MAX_WAITING) {
      const newestRead = kind === 'post' ? [...waiting.read].at(-1) : undefined;
      if (!newestRead) throw new Overloaded('too many requests are waiting for memory', lacking);
      newestRead.reject();
    }
    return new Promise((resolve, reject) => {
      const dequeue = () => {
        clearTimeout(timer);
        waiting[kind].delete(waiter);
      };
      const waiter: Waiter = {
        kind,
        bytes,
        grant(reservation) {
          dequeue();
          resolve(reservation);
        },
        reject() {
          dequeue();
          reject(new Overloaded('no memory became free in time', lacking));
          grantWaiting(); // smaller requests may have been waiting behind it
        },
      };
      const timer = setTimeout(() => waiter.reject(), Math.max(0, deadline - performance.now()));
      waiting[kind].add(waiter);
      grantWaiting();
    });
  }

  return {
    async reserve(wanted, kind, deadline) {
      // a request for more than the limit gets the whole limit
      const bytes = Math.min(wanted, limits[kind]);
      const isFirst = waiting.post.size === 0 && (kind === 'post' || waiting.read.size === 0);
      return isFirst && fits(kind, bytes)
        ? new BudgetReservation(kind, bytes)
        : enqueue(kind, bytes, deadline);
    },
    usage: () => ({ bytes: reserved, waiting: waitingCount() }),
    waitingBytes() {
      let bytes = 0;
      for (const kind of ['post', 'read'] as const) {
        for (const waiter of waiting[kind]) bytes += waiter.bytes;
      }
      return bytes;
    },
  };
}
