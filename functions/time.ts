import * as z from 'zod/mini';
import { Problem } from './http/problem';
import { sendJson } from './http/respond';
import { operation, type Resource } from './http/router';
import { zoneName } from './zones';

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
 * @param epochMs milliseconds since 1970-01-01 UTC; from 1972 on, when every offset is whole minutes
 * @param tz a name of the IANA time zone database, in any letter case
 * @throws {Problem} 400 for a zone that the database, or this Node's copy of it, doesn't have
 */
export function tellTime(epochMs: number, tz = 'UTC'): Time {
  const timezone = tz === 'UTC' ? tz : zoneName(tz);
  if (timezone === 'UTC') return { time: new Date(epochMs).toISOString(), epochMs, timezone };
  if (timezone === undefined) throw unknownZone(tz);

  const offset = offsetOf(timezone, epochMs);
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(offset) ?? [];
  const offsetMs = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const local = new Date(epochMs + offsetMs).toISOString();
  return { time: local.replace('Z', offset), epochMs, timezone };
}

/**
 * A formatter for each zone that was asked for: one takes 50 times as long to make as to use. There
 * can be no more than zones, 18 MiB in all. A smaller bound would cost more than it saves: those
 * dropped lie outside V8's heap, where its collector does not count them, and pile up.
 */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** The offset of a zone at a moment, as in `+09:00`. */
function offsetOf(timeZone: string, epochMs: number): string {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = formatterOf(timeZone);
    formatters.set(timeZone, formatter);
  }
  // "1/31/2026, GMT+09:00"; without an offset, Nodes differ between GMT+00:00 and GMT alone
  return formatter.format(epochMs).split('GMT')[1] || '+00:00';
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  } catch (error) {
    throw unknownZone(timeZone, error);
  }
}

function unknownZone(tz: string, cause?: unknown): Problem {
  // A plus in a query is a space
  const withPlus = tz.includes(' ') && zoneName(tz.replace(' ', '+'));
  const advice = withPlus
    ? `; ${withPlus} is written ${withPlus.replace('+', '%2B')} in a query`
    : ', as Asia/Tokyo is';
  const message = `not a time zone of the IANA database${advice}`;
  return new Problem('invalid-query', `The query parameters can't be used: tz: ${message}.`, {
    issues: [{ path: ['tz'], message }],
    cause,
  });
}
