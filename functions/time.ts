import * as z from 'zod/mini';
import { Problem } from './problem';
import { sendJson } from './respond';
import { operation, type Resource } from './router';

/** A moment as `GET /time` tells it. */
export interface Time {
  /** ISO 8601 with milliseconds and the zone's offset, `Z` for UTC. */
  time: string;
  epochMs: number;
  timezone: string;
}

const query = z.strictObject({ tz: z.optional(z.string()) });

/** `GET /time`: the time in UTC, or in the zone that `?tz=` names. */
export const timeResource: Resource = {
  GET: operation(query, ({ res, query: { tz } }) => sendJson(res, 200, tellTime(Date.now(), tz))),
};

/**
 * Tells a moment in a time zone.
 *
 * @param epochMs milliseconds since 1970-01-01 UTC
 * @param timezone a name of the IANA time zone database
 * @throws {Problem} 400 for a zone that the database doesn't have
 */
export function tellTime(epochMs: number, timezone = 'UTC'): Time {
  if (timezone === 'UTC') return { time: new Date(epochMs).toISOString(), epochMs, timezone };

  const offset = offsetOf(timezone, epochMs);
  const [, sign, hours = 0, minutes = 0] = /GMT([+-])(\d\d):(\d\d)/.exec(offset) ?? [];
  const offsetMs = Number(`${sign ?? ''}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const local = new Date(epochMs + offsetMs).toISOString();
  return { time: local.replace('Z', offset.slice(3) || '+00:00'), epochMs, timezone };
}

/** The offset of a zone at a moment, in the words of Intl: `GMT+09:00`, or `GMT` alone. */
function offsetOf(timeZone: string, epochMs: number): string {
  try {
    // Intl takes offsets as zones too; those aren't names
    if (/^[+-]/.test(timeZone)) throw new RangeError('an offset');
    const parts = new Intl.DateTimeFormat('en', {
      timeZone,
      timeZoneName: 'longOffset',
    }).formatToParts(epochMs);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  } catch (error) {
    const message = 'not a time zone of the IANA database, as Asia/Tokyo is';
    throw new Problem('invalid-query', `The query parameters can't be used: tz: ${message}.`, {
      issues: [{ path: ['tz'], message }],
      cause: error,
    });
  }
}
