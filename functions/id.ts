let latestMs = 0;
let count = 0;

/**
 * Makes a UUIDv7 (RFC 9562, section 5.7) that sorts after all that this process made before, even if
 * the clock is set back: `rand_a` counts those of a millisecond (section 6.2, method 1), and one
 * too many for that takes the next. What is random comes from a random UUID, for which Node draws
 * the random bytes of many at once.
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

/** The moment that an id tells. */
export function dateOf(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}
