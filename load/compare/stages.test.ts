import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { intendedPerSecond, stagesOf, until } from './stages';

const stages = stagesOf({ rate: 20, peak: 320 });

test('The load rises evenly to its peak, stays, and falls again.', () => {
  const intended = intendedPerSecond(stages);
  assert.equal(intended.slice(7, 12), [20, 70, 170, 270, 320]);
  assert.equal(intended.slice(-8), [320, 245, 95, 20, 20, 20, 20, 20]);
  assert.is(intended.length, 60);
});

test('A stage begins where the one before it ends.', () => {
  assert.is(until(stages, 'WARM_UP'), 8);
  assert.is(until(stages, 'HOLD'), 53);
});

test.run();
