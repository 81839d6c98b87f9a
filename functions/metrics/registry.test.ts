import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseExposition } from '../testing/exposition';
import { createRegistry, type Registry } from './registry';

const samplesOf = (registry: Registry, name: string) =>
  parseExposition(registry.text()).get(name)?.samples ?? [];

test('counters add up by label values', () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: 'a_total', help: 'A.', labels: ['x', 'y'] });
  counter.add(1, 'one', 'two');
  counter.add(2, 'one', 'two');
  counter.add(1, 'one', '');
  assert.equal(samplesOf(registry, 'a_total'), [
    { name: 'a_total', labels: { x: 'one', y: 'two' }, value: 3 },
    { name: 'a_total', labels: { x: 'one' }, value: 1 },
  ]);
});

test('a counter without labels is 0 from the start', () => {
  const registry = createRegistry();
  registry.counter({ name: 'a_total', help: 'A.' });
  assert.is(registry.text(), '# HELP a_total A.\n# TYPE a_total counter\na_total 0\n');
});

test('a histogram counts up to and with its bounds', () => {
  const registry = createRegistry();
  const histogram = registry.histogram({ name: 'h', help: 'H.', labels: ['x'] }, [1, 2.5]);
  for (const value of [0.5, 1, 1.5, 2.5, 3]) histogram.observe(value, 'v');
  assert.is(
    registry.text(),
    [
      '# HELP h H.',
      '# TYPE h histogram',
      'h_bucket{x="v",le="1"} 2',
      'h_bucket{x="v",le="2.5"} 4',
      'h_bucket{x="v",le="+Inf"} 5',
      'h_sum{x="v"} 8.5',
      'h_count{x="v"} 5\n',
    ].join('\n'),
  );
});

test('label values and help are escaped', () => {
  const registry = createRegistry();
  const hostile = 'a"b\\n\\\n{}= \u2028é';
  registry.counter({ name: 'a_total', help: 'two\nlines \\', labels: ['x'] }).add(1, hostile);
  assert.equal(samplesOf(registry, 'a_total'), [
    { name: 'a_total', labels: { x: hostile }, value: 1 },
  ]);
});

test('label values that could be confused when joined are kept apart', () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: 'a_total', help: 'A.', labels: ['x', 'y'] });
  counter.add(1, 'a,', 'b');
  counter.add(1, 'a', ',b');
  assert.is(samplesOf(registry, 'a_total').length, 2);
});

test('beyond 500 combinations, all others are counted together', () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: 'a_total', help: 'A.', labels: ['x'] });
  const histogram = registry.histogram({ name: 'h', help: 'H.', labels: ['x'] }, [1]);
  for (let i = 0; i < 10_000; i++) {
    counter.add(1, String(i));
    histogram.observe(1, String(i));
  }
  counter.add(1, '0');
  const counted = samplesOf(registry, 'a_total');
  assert.is(counted.length, 501);
  assert.is(counted[0]?.value, 2);
  assert.equal(counted.at(-1)?.labels, { otel_metric_overflow: 'true' });
  assert.is(counted.at(-1)?.value, 9500);
  assert.is(samplesOf(registry, 'h').at(-1)?.value, 9500);
});

test('a metric that can not be read is left out', () => {
  const registry = createRegistry();
  const fail = () => {
    throw new Error('unreadable');
  };
  registry.beforeReading(fail);
  registry.read('gauge', { name: 'a', help: 'A.' }, fail);
  registry.read('gauge', { name: 'b', help: 'B.' }, () => [[1]]);
  assert.is(registry.text(), '# HELP b B.\n# TYPE b gauge\nb 1\n');
});

test.run();
