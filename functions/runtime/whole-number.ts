import * as z from 'zod/mini';

/** Parses a whole number from decimal digits, for query parameters and environment variables. */
export function wholeNumber(minimum: number, maximum: number) {
  const error = `must be a whole number from ${minimum} to ${maximum}`;
  return z.pipe(
    z.string().check(z.regex(/^\d+$/, error)),
    z.pipe(
      z.transform(Number),
      z.int({ error, abort: true }).check(z.gte(minimum, error), z.lte(maximum, error)),
    ),
  );
}
