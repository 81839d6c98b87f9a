let latestMs = 0;
let count = 0;

/**
 * How far ahead of this clock an id may be, in ms, and still move the ids that are made here. One that
 * is further ahead comes from a clock that is wrong, or from no clock at all.
 */
const MAX_AHEAD_MS = 60_000;

const uuidv7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-/;

/**
 * Makes a UUIDv7 (RFC 9562, section 5.7) that sorts after all that this process made or has seen
 * before, even if the clock is set back: `rand_a` counts those of a millisecond (section 6.2, method
 * 1), and one too many for that takes the next. What is random comes from a random UUID, for which
 * Node draws the random bytes of many at once.
 */
export function newId(): string {
  const now = Date.now();
  if (now > latestMs) {
    latestMs = now;
    count = 0;
  } else if (++count > 0xfff) {
    latestMs++;
    count = 0;
  }
  const time = latestMs.toString(16).padStart(12, '0');
  const counter = count.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${crypto.randomUUID().slice(19)}`;
}

/**
 * Takes note of an id that another replica made, so that none made here from now on sorts before it:
 * a hybrid logical clock (Kulkarni et al., 2014), as far as this replica reads what others write.
 *
 * @param id any string; what is no UUIDv7 is ignored
 */
export function observeId(id: string): void {
  if (!uuidv7.test(id)) return;
  const ms = msOf(id);
  if (!(ms >= latestMs && ms <= Date.now() + MAX_AHEAD_MS)) return;
  const seen = Number.parseInt(id.slice(15, 18), 16);
  count = ms === latestMs ? Math.max(count, seen) : seen;
  latestMs = ms;
}

/** The moment that an id tells. */
export function dateOf(id: string): Date {
  return new Date(msOf(id));
}

function msOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
