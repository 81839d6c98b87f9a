import * as z from 'zod/mini';
import type { FunctionResources } from './context';
import type { Z } from './http/description';
import { Problem } from './http/problem';
import { sendJson } from './http/respond';
import { operation } from './http/router';
import { allZoneNames, zoneName } from './zones';

/** The response of `GET /time`. */
export interface Time {
  /** ISO 8601 with milliseconds and the zone's offset, `Z` for UTC. */
  time: string;
  epochMs: number;
  timezone: string;
}

const timeParameters = z.strictObject({ tz: z.optional(z.string()) });

/** `GET /time`: the time in UTC, or in the zone that `?tz=` names. */
export const timeResources: FunctionResources = (mount) => ({
  [mount || '/']: {
    GET: operation(
      timeParameters,
      ({ res, query: { tz } }) => sendJson(res, 200, formatTime(Date.now(), tz)),
      (z) => ({
        summary: 'The time, in UTC or in a time zone',
        parameters: {
          tz: {
            description: 'The time zone, in any letter case. A plus is written as `%2B`.',
            schema: timeZone(z),
            example: 'Asia/Tokyo',
          },
        },
        responses: {
          200: {
            description: 'The time',
            schema: z.object({
              time: z.iso.datetime({ offset: true }).describe("With the zone's offset, Z for UTC"),
              epochMs: z.int().min(0).describe('Milliseconds since 1970-01-01 UTC'),
              timezone: timeZone(z),
            }),
            example: {
              time: '2026-11-26T08:38:10.717+09:00',
              epochMs: 1795649890717,
              timezone: 'Asia/Tokyo',
            },
          },
        },
      }),
    ),
  },
});

function timeZone(z: Z) {
  // Factory is a placeholder, which Intl lacks
  return z.enum(allZoneNames().filter((name) => name !== 'Factory')).meta({
    id: 'TimeZone',
    description: 'A name in the IANA time zone database, links included',
  });
}

/**
 * Formats a time in a time zone.
 *
 * @param epochMs milliseconds since 1970-01-01 UTC; from 1972 on, as older offsets have seconds
 * @param tz a name in the IANA time zone database, in any letter case
 * @throws {Problem} 400 for a zone that is not in the database, or not in this Node's copy of it
 */
export function formatTime(epochMs: number, tz = 'UTC'): Time {
  const timezone = tz === 'UTC' ? tz : zoneName(tz);
  if (timezone === 'UTC') return { time: new Date(epochMs).toISOString(), epochMs, timezone };
  if (timezone === undefined) throw unknownZone(tz);

  const { offset, offsetMs } = offsetAt(timezone, epochMs);
  const local = new Date(epochMs + offsetMs).toISOString();
  return { time: local.slice(0, -1) + offset, epochMs, timezone };
}

/** The offset of a zone in one minute; offsets change at full minutes. */
interface ZoneMinute {
  minute: number;
  /** Such as `+09:00`. */
  offset: string;
  offsetMs: number;
}

/** By zone, the minute that was last asked for: formatting takes as long as the rest of a request. */
const zoneMinutes = new Map<string, ZoneMinute>();

function offsetAt(timeZone: string, epochMs: number): ZoneMinute {
  const minute = Math.floor(epochMs / 60_000);
  const known = zoneMinutes.get(timeZone);
  if (known?.minute === minute) return known;
  const offset = formatOffset(timeZone, epochMs);
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(offset) ?? [];
  const offsetMs = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const found = { minute, offset, offsetMs };
  zoneMinutes.set(timeZone, found);
  return found;
}

/**
 * Formatters by zone: creating one takes 50 times as long as using it. All zones together take 18
 * MiB. A smaller cache would need more: dropped formatters pile up outside V8's heap, where its
 * garbage collector does not count them.
 */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** The offset of a zone at a time, such as `+09:00`. */
function formatOffset(timeZone: string, epochMs: number): string {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = createFormatter(timeZone);
    formatters.set(timeZone, formatter);
  }
  // "1/31/2026, GMT+09:00"; at offset 0, some versions of Node have GMT instead of GMT+00:00
  return formatter.format(epochMs).split('GMT')[1] || '+00:00';
}

function createFormatter(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  } catch (error) {
    throw unknownZone(timeZone, error);
  }
}

function unknownZone(tz: string, cause?: unknown): Problem {
  // a plus in a query string means a space
  const withPlus = tz.includes(' ') && zoneName(tz.replace(' ', '+'));
  const advice = withPlus
    ? `; write ${withPlus} as ${withPlus.replace('+', '%2B')} in a query`
    : ', such as Asia/Tokyo';
  const message = `must be a time zone in the IANA database${advice}`;
  return new Problem('invalid-query', `The query parameters can't be used: tz: ${message}.`, {
    issues: [{ path: ['tz'], message }],
    cause,
  });
}
