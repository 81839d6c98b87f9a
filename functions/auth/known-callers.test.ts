import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { knownCallers } from './known-callers';

const inAMinute = () => Date.now() + 60_000;
const verified =
  (expiresAt = inAMinute()) =>
  async (token: string) => ({ caller: { name: token.slice(0, 5), scopes: undefined }, expiresAt });

const tail = 'x'.repeat(40);

test('a caller is known until the token expires, and by the whole token only', async () => {
  const known = knownCallers();
  await known.learn(`valid${tail}`, verified());
  await known.learn('expired', verified(Date.now() - 1));
  assert.is(known.find(`valid${tail}`)?.name, 'valid');
  assert.is(known.find(`Valid${tail}`), undefined);
  assert.is(known.find(tail), undefined);
  assert.is(known.find('expired'), undefined);
  known.clear();
  assert.is(known.find(`valid${tail}`), undefined);
});

test('who is not verified is not known', async () => {
  const known = knownCallers();
  const refuse = () => Promise.reject(new Error('refused'));
  assert.is(await known.learn('wrong', refuse).catch(({ message }) => message), 'refused');
  assert.is(known.find('wrong'), undefined);
});

test('a caller who was verified by keys of before is not remembered', async () => {
  const known = knownCallers();
  const learning = known.learn('a', async (token) => {
    known.clear();
    return verified()(token);
  });
  assert.is((await learning).name, 'a');
  assert.is(known.find('a'), undefined);
});

test('of too many tokens, or too long ones, the oldest are forgotten', async () => {
  const known = knownCallers({ tokens: 3, characters: 10 });
  const kept = async (...tokens: string[]) => {
    for (const token of tokens) await known.learn(token, verified());
    return ['a', 'b', 'c', 'd', 'eight888', 'too long to be kept'].filter(known.find).join(' ');
  };
  assert.is(await kept('a', 'b', 'b', 'c', 'd'), 'b c d');
  assert.is(await kept('eight888'), 'c d eight888');
  assert.is(await kept('too long to be kept'), 'c d eight888');
  assert.is(await kept('a'), 'a d eight888');
});

test.run();
