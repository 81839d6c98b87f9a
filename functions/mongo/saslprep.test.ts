import { saslprep as full } from '@mongodb-js/saslprep';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { saslprep } from './saslprep';

test('passwords are prepared as by the full saslprep', () => {
  const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
  // the others are the examples of RFC 4013, section 3
  for (const password of ['', ascii, 'I\u00adX', 'user', '\u00aa', '\u2168', 'p\u00a0q']) {
    assert.is(saslprep(password), full(password));
  }
  assert.is(saslprep('I\u00adX'), 'IX');
  for (const prohibited of ['\u0007', '\u06271', 'a\u007f']) {
    assert.throws(() => full(prohibited));
    assert.throws(() => saslprep(prohibited));
  }
});

test.run();
