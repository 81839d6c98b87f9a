import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatNumber } from './markdown';

test('Numbers are formatted to a number of significant digits, without an exponent.', () => {
  assert.is(formatNumber(21_904, 3), '21900');
  assert.is(formatNumber(0.000_216, 2), '0.00022');
});

test.run();
