import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { event, listen } from './event';

test('all listeners get a message until they end', () => {
  const spoken = event<string>('test.spoken');
  const heard: string[] = [];
  assert.is(spoken.hasSubscribers, false);
  const ends = ['a', 'b'].map((name) => listen(spoken, (word) => heard.push(name + word)));
  assert.is(spoken.hasSubscribers, true);
  spoken.publish('1');
  ends[0]?.();
  spoken.publish('2');
  ends[1]?.();
  spoken.publish('3');
  assert.equal(heard, ['a1', 'b1', 'b2']);
  assert.is(spoken.hasSubscribers, false);
});

test('a listener that throws does no harm, and is not called again', () => {
  const spoken = event<string>('test.spoken');
  let calls = 0;
  listen(spoken, () => {
    calls++;
    throw new Error('deaf');
  });
  spoken.publish('1');
  spoken.publish('2');
  assert.is(calls, 1);
});

test.run();
