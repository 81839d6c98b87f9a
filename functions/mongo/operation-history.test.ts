import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHistory } from './operation-history';

const test = suite('operation history');

test('an attempt is suspect after four times the last success, and a second at least', () => {
  const history = createHistory(5000);
  for (const [durationMs, expected] of [
    [10, 1000],
    [400, 1600],
    [3000, 5000],
  ] as const) {
    history.succeeded(durationMs);
    assert.equal([history.usualMs(), history.suspectAfterMs()], [expected, expected]);
  }
});

test('timeouts make it suspect later, and what is usual stays as it was', () => {
  const history = createHistory(5000);
  history.succeeded(10);
  const seen = Array.from({ length: 3 }, () => {
    history.timedOut();
    return [history.usualMs(), history.suspectAfterMs()];
  });
  assert.equal(seen, [
    [1000, 3000],
    [1000, 5000],
    [1000, 5000],
  ]);
  history.succeeded(10);
  assert.is(history.suspectAfterMs(), 1000);
});

test('a short time limit shortens both', () => {
  const history = createHistory(400);
  assert.equal([history.usualMs(), history.suspectAfterMs()], [100, 100]);
});

test.run();
