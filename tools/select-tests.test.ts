import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { selectTests } from './select-tests';

const files = [
  'functions/data.test.ts',
  'functions/mongo/database.test.ts',
  'load/scripts.test.ts',
  'tools/database/embedded-database.test.ts',
];

for (const [names, selected] of [
  [[], files],
  [['data'], [files[0]]],
  [['functions/data.test.ts'], [files[0]]],
  [['database'], [files[1]]],
  [['base'], [files[1], files[3]]],
  [['functions/'], [files[0], files[1]]],
  [['scripts', 'load/'], ['load/scripts.test.ts']],
] as const) {
  test(`npm test -- ${names.join(' ')}`, () => {
    assert.equal(selectTests(files, [...names]), selected);
  });
}

test('a name that matches nothing is an error', () => {
  assert.throws(() => selectTests(files, ['dota']), 'There is no test file for dota.');
});

test.run();
