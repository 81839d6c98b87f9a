import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../runtime/log';
import { newReasons } from '../runtime/new-reasons';
import { type KeySourceName, keySourceCreated } from './events';

const intervals = {
  /**
   * The least time between two attempts, in ms. Strangers can cause one with each token that names an
   * unknown key, so this bounds what the issuer gets from one replica.
   */
  pauseMs: 1000,
  /** How often the same reason is logged, in ms. */
  logMs: 60_000,
  /** How long a request waits for newer keys, in ms. They may take longer to load. */
  waitMs: 10_000,
};

interface Options<Keys> {
  /** What they are called in metrics. */
  source: KeySourceName;
  /** What they are called in the log. */
  name: string;
  /** Loads the keys, as text. */
  load: () => string | Promise<string>;
  /** @throws Error if the text can't be used */
  parse: (text: string) => Keys;
  count: (keys: Keys) => number;
  /** When they are loaded again, in ms: a key that was withdrawn is accepted until then. */
  maxAgeMs: number;
  /** Called when the keys have changed. */
  onChange: () => void;
}

/** Keys that are kept up to date. */
export interface KeySource<Keys> {
  /** Those that were loaded last, also if they can't be loaded at the moment; undefined before. */
  current(): Keys | undefined;
  /**
   * Waits for keys other than these: for an attempt that runs already, and if need be for another one;
   * ten seconds at most.
   *
   * @returns the same ones if there are no others, undefined if they can't be loaded in time
   */
  newerThan(old: Keys | undefined): Promise<Keys | undefined>;
}

/**
 * Loads keys at once, whenever they have reached their age, and when newer ones are asked for. If that
 * fails, the keys that are known remain, and it is tried again every second. The log has each reason once a
 * minute: a key that was withdrawn is accepted as long as that lasts.
 */
export function keySource<Keys>(
  options: Options<Keys>,
  { pauseMs, logMs, waitMs } = intervals,
): KeySource<Keys> {
  const { source, name, load, parse, count, maxAgeMs, onChange } = options;
  let keys: Keys | undefined;
  let latest: string | undefined;
  let loadedAt = performance.now();
  let hasFailed = false;
  const isNew = newReasons(logMs);
  let startedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  /** Begins when `running` has ended. */
  let next: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function attempt(): Promise<void> {
    startedAt = performance.now();
    clearTimeout(timer);
    try {
      const text = await load();
      if (text !== latest) {
        keys = parse(text);
        latest = text;
        onChange();
        const loaded = count(keys);
        if (loaded > 0) log.info({ count: loaded }, `${name} are loaded`);
        else log.warn(`${name} are loaded, but there are none`);
      } else if (hasFailed) {
        log.info(`${name} can be loaded again`);
      }
      loadedAt = performance.now();
      hasFailed = false;
    } catch (error) {
      hasFailed = true;
      logFailure((error as Error).message);
    }
    timer = setTimeout(refresh, hasFailed ? pauseMs : maxAgeMs).unref();
  }

  function logFailure(reason: string): void {
    if (!isNew(reason)) return;
    const ageSeconds = Math.round((performance.now() - loadedAt) / 1000);
    if (keys) log.error({ reason, ageSeconds }, `${name} can't be loaded: the old ones stay valid`);
    else log.error({ reason }, `${name} can't be loaded`);
  }

  async function attemptNext(): Promise<void> {
    await running;
    await sleep(Math.max(0, startedAt + pauseMs - performance.now()), undefined, { ref: false });
    next = undefined;
    running = attempt();
    await running;
  }

  function refresh(): Promise<void> {
    next ??= attemptNext();
    return next;
  }

  async function newerThan(old: Keys | undefined): Promise<Keys | undefined> {
    await running;
    if (keys !== old) return keys;
    await refresh();
    return hasFailed ? undefined : keys;
  }

  keySourceCreated.publish({ source, ageMs: () => performance.now() - loadedAt });
  void refresh();
  return {
    current: () => keys,
    newerThan: (old) => within(waitMs, newerThan(old)),
  };
}

/** @returns what a promise resolves to, or undefined if it takes longer than that many ms */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const settled = new AbortController();
  const late = sleep(ms, undefined, { signal: settled.signal, ref: false }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    settled.abort();
  }
}
