import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from './http/problem';
import { formatTime } from './time';
import { allZoneNames, zoneName } from './zones';

const winter = Date.UTC(2026, 0, 31, 23, 30, 15, 7);
const summer = Date.UTC(2026, 6, 31, 23, 30, 15, 7);

for (const [timezone, epochMs, time] of [
  ['UTC', winter, '2026-01-31T23:30:15.007Z'],
  ['Asia/Tokyo', winter, '2026-02-01T08:30:15.007+09:00'],
  ['Asia/Kolkata', winter, '2026-02-01T05:00:15.007+05:30'],
  ['America/St_Johns', winter, '2026-01-31T20:00:15.007-03:30'],
  ['Europe/London', winter, '2026-01-31T23:30:15.007+00:00'],
  ['Europe/London', summer, '2026-08-01T00:30:15.007+01:00'],
  ['Pacific/Kiritimati', summer, '2026-08-01T13:30:15.007+14:00'],
  ['Pacific/Marquesas', summer, '2026-07-31T14:00:15.007-09:30'],
  // links, which Intl would resolve
  ['Asia/Calcutta', winter, '2026-02-01T05:00:15.007+05:30'],
  ['US/Pacific', winter, '2026-01-31T15:30:15.007-08:00'],
  ['GB-Eire', summer, '2026-08-01T00:30:15.007+01:00'],
  ['PRC', winter, '2026-02-01T07:30:15.007+08:00'],
  ['EST', summer, '2026-07-31T18:30:15.007-05:00'],
  ['EST5EDT', summer, '2026-07-31T19:30:15.007-04:00'],
  ['MST7MDT', winter, '2026-01-31T16:30:15.007-07:00'],
  ['WET', summer, '2026-08-01T00:30:15.007+01:00'],
  ['Etc/GMT+5', winter, '2026-01-31T18:30:15.007-05:00'],
  ['GMT', winter, '2026-01-31T23:30:15.007+00:00'],
  ['Zulu', winter, '2026-01-31T23:30:15.007+00:00'],
] as const) {
  test(`${timezone} at ${new Date(epochMs).toISOString()}, in any letter case`, () => {
    for (const tz of [timezone, timezone.toLowerCase(), timezone.toUpperCase()]) {
      assert.equal(formatTime(epochMs, tz), { time, epochMs, timezone });
    }
    assert.is(Date.parse(time), epochMs);
  });
}

test('the offset changes when daylight saving time starts', () => {
  const change = Date.UTC(2026, 2, 29, 1);
  assert.is(formatTime(change - 1, 'Europe/Paris').time, '2026-03-29T01:59:59.999+01:00');
  assert.is(formatTime(change, 'Europe/Paris').time, '2026-03-29T03:00:00.000+02:00');
  assert.is(formatTime(change - 1, 'Europe/Paris').time, '2026-03-29T01:59:59.999+01:00');
});

test('every zone of Intl is known, in the same spelling', () => {
  const listed = Intl.supportedValuesOf('timeZone');
  assert.equal(
    listed.map((name) => zoneName(name)),
    listed,
  );
});

test('every zone has a time, unless this Node lacks it', () => {
  for (const name of allZoneNames()) {
    if (isKnownToIntl(name)) {
      const { time, timezone } = formatTime(winter, name.toLowerCase());
      assert.is(timezone, name);
      assert.is(Date.parse(time), winter, name);
    } else {
      assert.is(problemFor(name).status, 400, name);
    }
  }
});

test('the formatter of a zone is created once', () => {
  formatTime(winter, 'Asia/Kabul');
  const { DateTimeFormat } = Intl;
  let created = 0;
  Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
    construct(target, args) {
      created++;
      return Reflect.construct(target, args);
    },
  });
  try {
    for (const tz of ['Asia/Kabul', 'asia/kabul', 'ASIA/KABUL']) formatTime(winter, tz);
    assert.is(created, 0);
  } finally {
    Intl.DateTimeFormat = DateTimeFormat;
  }
});

// Intl accepts these, but the IANA database doesn't have them
const onlyInIntl = [
  ...'ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT'.split(' '),
  ...'PNT PRT PST SST VST Canada/East-Saskatchewan US/Pacific-New SystemV/AST4'.split(' '),
  ...'SystemV/AST4ADT SystemV/CST6 SystemV/CST6CDT SystemV/EST5 SystemV/EST5EDT'.split(' '),
  ...'SystemV/HST10 SystemV/MST7 SystemV/MST7MDT SystemV/PST8 SystemV/PST8PDT'.split(' '),
  ...'SystemV/YST9 SystemV/YST9YDT +09:00 -0330 +09'.split(' '),
];
for (const tz of [
  ...onlyInIntl,
  ...['', ' ', 'Mars/Olympus', 'Asia', 'Asia/', '/Tokyo', 'Asia/Tokyo ', ' Asia/Tokyo'],
  ...['Asia/Tokyo\0', 'Asia\\Tokyo', 'Asia//Tokyo', 'America/New York', 'Etc/GMT 15', ' 09:00'],
  // a placeholder in the database, which Intl lacks
  ...['Factory', 'localtime', 'Etc/Unknown', 'constructor', '__proto__', 'x'.repeat(10_000)],
]) {
  test(`${JSON.stringify(tz).slice(0, 40)} is not a zone`, () => {
    for (const name of [tz, tz.toLowerCase()]) {
      assert.is(problemFor(name).status, 400);
      assert.equal(problemFor(name).more.issues, [
        { path: ['tz'], message: 'must be a time zone in the IANA database, such as Asia/Tokyo' },
      ]);
    }
  });
}

test('a Kelvin sign is not a K', () => {
  assert.is(problemFor('Asia/To\u212ayo').status, 400);
});

for (const [tz, name, encoded] of [
  ['Etc/GMT 5', 'Etc/GMT+5', 'Etc/GMT%2B5'],
  ['etc/gmt 12', 'Etc/GMT+12', 'Etc/GMT%2B12'],
  ['GMT 0', 'GMT+0', 'GMT%2B0'],
] as const) {
  test(`the error for "${tz}" explains how to write a plus`, () => {
    const { status, message } = problemFor(tz);
    assert.is(status, 400);
    assert.match(message, `; write ${name} as ${encoded} in a query.`);
  });
}

function problemFor(tz: string): Problem {
  try {
    formatTime(winter, tz);
  } catch (error) {
    assert.instance(error, Problem);
    return error as Problem;
  }
  throw new Error(`${tz} was accepted`);
}

function isKnownToIntl(timeZone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone }));
  } catch {
    return false;
  }
}

test.run();
