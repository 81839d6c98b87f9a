import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judge, type Signals } from './service-state';

test('of several troubles the worst is told', () => {
  const answer = (status: number, json: object = {}, detail?: string) => ({
    ok: status < 400,
    status,
    json,
    problem: detail === undefined ? undefined : { type: '', status, detail },
    servedBy: null,
    ms: 1,
  });
  const serving: Signals = {
    time: answer(200),
    failures: 0,
    readiness: answer(200, { database: 'reachable' }),
    overloadedAt: Number.NEGATIVE_INFINITY,
    unavailableAt: Number.NEGATIVE_INFINITY,
  };
  const now = 100_000;
  const lost = { database: 'unreachable' };
  for (const [signals, title] of [
    [{}, 'Serving'],
    [{ failures: 1, time: undefined }, 'Asking the service …'],
    [{ failures: 2, time: undefined }, 'The service does not answer'],
    [{ time: answer(401) }, 'This service needs a token'],
    [{ time: answer(403) }, 'This token lacks a scope'],
    [{ failures: 2, time: answer(503), readiness: answer(200, lost) }, 'The service answers 503'],
    [{ readiness: answer(503, {}, 'The service is shutting down.') }, 'Draining'],
    [{ readiness: answer(503, {}, 'MongoDB has not been reached yet.') }, 'Not ready'],
    [{ readiness: answer(200, lost), overloadedAt: now }, 'The database is unreachable'],
    [{ unavailableAt: now - 1000 }, 'The database is unreachable'],
    [{ overloadedAt: now - 1000 }, 'Overloaded'],
    [{ overloadedAt: now - 60_000, unavailableAt: now - 60_000 }, 'Serving'],
  ] as const) {
    assert.is(judge({ ...serving, ...signals }, now).title, title);
  }
});

test.run();
