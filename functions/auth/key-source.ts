import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../runtime/log';

/**
 * The least time between two attempts, in ms. Strangers can cause one with each token that names an
 * unknown key, so this bounds what the issuer gets from one replica.
 */
const pauseMs = 1000;

interface Options<Keys> {
  /** What they are called in the log. */
  name: string;
  /** Gets them as text. */
  load: () => string | Promise<string>;
  /** @throws Error if the text can't be used */
  parse: (text: string) => Keys;
  /** How old they get, in ms: a key that was withdrawn is accepted for so long. */
  maxAgeMs: number;
  /** Called when others than before were loaded. */
  onChange: () => void;
}

/** Keys that are kept up to date. */
export interface KeySource<Keys> {
  /** Those that were loaded last, also if they can't be loaded at the moment; undefined before. */
  current(): Keys | undefined;
  /**
   * Waits for keys other than these: for an attempt that runs already, and if need be for another one.
   *
   * @returns the same ones if there are no others, undefined if they can't be loaded
   */
  newerThan(old: Keys | undefined): Promise<Keys | undefined>;
}

/**
 * Loads keys at once, whenever they have reached their age, and when newer ones are asked for. If that
 * fails, the keys that are known remain, and it is tried again every second.
 */
export function keySource<Keys>(options: Options<Keys>): KeySource<Keys> {
  const { name, load, parse, maxAgeMs, onChange } = options;
  let keys: Keys | undefined;
  let latest: string | undefined;
  let failure: string | undefined;
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
        log.info(`${name} are loaded`);
      } else if (failure) {
        log.info(`${name} can be loaded again`);
      }
      failure = undefined;
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== failure) log.error({ reason }, `${name} can't be loaded`);
      failure = reason;
    }
    timer = setTimeout(refresh, failure === undefined ? maxAgeMs : pauseMs).unref();
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

  void refresh();
  return {
    current: () => keys,
    async newerThan(old) {
      await running;
      if (keys !== old) return keys;
      await refresh();
      return failure === undefined ? keys : undefined;
    },
  };
}
