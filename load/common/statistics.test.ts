import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { percentile, summarize } from './statistics';

test('a summary has the median, also of an even number of values', () => {
  assert.equal(summarize([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.equal(summarize([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
});

test('percentiles are nearest-rank', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.is(percentile(values, 95), 95);
  assert.is(percentile(values, 50), 50);
  assert.is(percentile([7], 99), 7);
  assert.is(percentile([], 50), null);
});

test.run();
