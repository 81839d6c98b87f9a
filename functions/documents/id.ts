let latestMs = 0;
let counter = 0;

/**
 * How far ahead of this clock an id may be, in ms, and still advance the ids made here. An id further
 * ahead comes from a wrong clock, or from no clock at all.
 */
const MAX_AHEAD_MS = 60_000;

const uuidv7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-/;

/**
 * Makes a UUIDv7 (RFC 9562, section 5.7) that sorts after all ids that this process has made or
 * observed, even if the clock is set back: `rand_a` is a counter within the millisecond (section 6.2,
 * method 1), and an overflow continues in the next millisecond. The random bits come from a random
 * UUID, because Node draws random bytes for many of those at once.
 */
export function newId(): string {
  const now = Date.now();
  if (now > latestMs) {
    latestMs = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    latestMs++;
    counter = 0;
  }
  const time = latestMs.toString(16).padStart(12, '0');
  const randA = counter.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randA}-${crypto.randomUUID().slice(19)}`;
}

/**
 * Observes an id that another replica made, so that no later id of this replica sorts before it: a
 * hybrid logical clock (Kulkarni et al., 2014), for what this replica reads of other replicas.
 *
 * @param id any string; ignored if it is not a UUIDv7
 */
export function observeId(id: string): void {
  if (!uuidv7.test(id)) return;
  const ms = msOf(id);
  if (!(ms >= latestMs && ms <= Date.now() + MAX_AHEAD_MS)) return;
  const observed = Number.parseInt(id.slice(15, 18), 16);
  counter = ms === latestMs ? Math.max(counter, observed) : observed;
  latestMs = ms;
}

/** The time at which an id was made. */
export function dateOf(id: string): Date {
  return new Date(msOf(id));
}

function msOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
