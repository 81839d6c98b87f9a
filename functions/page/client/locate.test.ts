import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { locate } from './locate';

test('the field of a problem is found in the text', () => {
  const text = '{ "a": {"b": [1, {"c": "}\\"{"}, 3]}, "a\\"": [], "b": 5, "x": 1, "x": {"y": 2} }';
  for (const [path, found] of [
    [['a'], '"a": {"b": [1, {"c": "}\\"{"}, 3]}'],
    [['a', 'b', 1, 'c'], '"c": "}\\"{"'],
    [['a', 'b', 2], '3'],
    [['a"'], '"a\\"": []'],
    [['b'], '"b": 5'],
    [['x'], '"x": {"y": 2}'],
    [['x', 'y'], '"y": 2'],
    [['y'], undefined],
    [['b', 'c'], undefined],
    [[], undefined],
  ] as const) {
    const range = locate(text, [...path]);
    const part = range && text.slice(range.start, range.end);
    assert.is(part, found as string | undefined, path.join('.'));
  }
});

test.run();
