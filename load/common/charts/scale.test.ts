import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { largestButOutliers, linearScale, logScale, powersOfTen, scaleFromZero } from './scale';

test('Ticks are at multiples of 1, 2 or 5 times a power of ten.', () => {
  assert.equal(linearScale(-15, 144).ticks, [0, 20, 40, 60, 80, 100, 120, 140]);
  assert.equal(linearScale(0, 5.25).ticks, [0, 1, 2, 3, 4, 5]);
  assert.equal(linearScale(0, 0.3).ticks.length, 7);
});

test('Logarithmic scales have ticks at powers of their base.', () => {
  assert.equal(logScale(1, 128, 2).ticks, [1, 2, 4, 8, 16, 32, 64, 128]);
  const scale = powersOfTen([0, 3, 1400]);
  assert.equal(scale.ticks, [1, 10, 100, 1000, 10_000]);
  assert.is(scale.place(100), 0.5);
  assert.is(scale.place(0), 0);
});

test('An outlier does not set the end of a scale, but many high values do.', () => {
  const dropped = [...Array(150).fill(0), 407, 674, 1258];
  assert.is(largestButOutliers([...dropped, 8263]), 1258);
  assert.is(largestButOutliers(dropped), 1258);
  assert.is(largestButOutliers([1, 2, 100]), 100); // of so few, none is an outlier
  assert.is(largestButOutliers([...Array(50).fill(1), ...Array(50).fill(100)]), 100);
  assert.is(scaleFromZero([...dropped, 8263]).place(8263), 1);
});

test('Where there is nothing but zeros, the scale still has a length.', () => {
  const { end, ticks } = scaleFromZero([0, 0]);
  assert.is(end, 1);
  assert.is(ticks[0], 0);
});

test.run();
