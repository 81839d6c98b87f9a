import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from './problem';
import { tellTime } from './time';

const winter = Date.UTC(2026, 0, 31, 23, 30, 15, 7);
const summer = Date.UTC(2026, 6, 31, 23, 30, 15, 7);

for (const [timezone, epochMs, time] of [
  ['UTC', winter, '2026-01-31T23:30:15.007Z'],
  ['Asia/Tokyo', winter, '2026-02-01T08:30:15.007+09:00'],
  ['asia/tokyo', winter, '2026-02-01T08:30:15.007+09:00'],
  ['Asia/Kolkata', winter, '2026-02-01T05:00:15.007+05:30'],
  ['America/St_Johns', winter, '2026-01-31T20:00:15.007-03:30'],
  ['Europe/London', winter, '2026-01-31T23:30:15.007+00:00'],
  ['Europe/London', summer, '2026-08-01T00:30:15.007+01:00'],
  ['Pacific/Kiritimati', summer, '2026-08-01T13:30:15.007+14:00'],
] as const) {
  test(`${timezone} at ${new Date(epochMs).toISOString()}`, () => {
    assert.equal(tellTime(epochMs, timezone), { time, epochMs, timezone });
    assert.is(Date.parse(time), epochMs);
  });
}

for (const timezone of ['', 'Mars/Olympus', '+09:00', '-0330', 'Asia/Tokyo ']) {
  test(`"${timezone}" is no zone`, () => {
    assert.throws(
      () => tellTime(winter, timezone),
      (error: unknown) => error instanceof Problem && error.status === 400,
    );
  });
}

test.run();
