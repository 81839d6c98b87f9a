import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bind, event, listen } from './event';

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

test('what an event is about has the context that is bound to it', async () => {
  const asked = event<string>('test.asked');
  const name = new AsyncLocalStorage<string | undefined>();
  const heard: string[] = [];
  const answer = async () => {
    await sleep(1);
    return name.getStore();
  };
  assert.is(await asked.runStores('nobody', answer), undefined);
  const ends = [
    bind(asked, name, (word) => word.toUpperCase()),
    listen(asked, (word) => heard.push(word)),
  ];
  const answers = ['a', 'b'].map((word) => asked.runStores(word, answer));
  assert.equal(await Promise.all(answers), ['A', 'B']);
  assert.is(name.getStore(), undefined);
  for (const end of ends) end();
  assert.is(await asked.runStores('c', answer), undefined);
  assert.equal(heard, ['a', 'b']);
  assert.is(asked.hasSubscribers, false);
});

test('a context that can not be made does no harm, and is not made again', () => {
  const asked = event<string>('test.asked');
  let calls = 0;
  bind(asked, new AsyncLocalStorage(), () => {
    calls++;
    throw new Error('deaf');
  });
  assert.is(
    asked.runStores('1', () => 'answer'),
    'answer',
  );
  assert.is(
    asked.runStores('2', () => 'answer'),
    'answer',
  );
  assert.is(calls, 1);
});

test.run();
