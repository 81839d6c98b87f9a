import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseLoads } from './loads';
import { chooseSubjects, readSettings } from './subjects';

test('Settings are those of the manifests, unless the environment says otherwise.', () => {
  assert.equal(readSettings({ SEED: '7' }), { rounds: 3, seed: 7 });
  const env = { CPU: '60m/1', PEERS_IMAGE: 'peers:1', ROUNDS: '1', SEED: '7' };
  const cpu = { request: 60, limit: 1000 };
  assert.equal(readSettings(env), { cpu, peersImage: 'peers:1', rounds: 1, seed: 7 });
});

test('A setting that can not be read is refused with its form.', () => {
  assert.throws(() => readSettings({ CPU: '60m' }), 'write request/limit, such as 60m/150m');
  assert.throws(() => readSettings({ ROUNDS: 'x' }), 'ROUNDS is "x": write a whole number');
  assert.throws(() => readSettings({ ROUNDS: '0' }), 'ROUNDS is "0": write a whole number');
  assert.throws(() => readSettings({ SEED: '1.5' }), 'SEED is "1.5": write a whole number');
  assert.throws(() => chooseLoads(500, { LOADS: 'cpu,io' }), 'LOADS has "io"');
  assert.throws(() => chooseLoads(500, { LOADS: 'cpu,' }), 'LOADS has ""');
  assert.is(chooseLoads(500, { LOADS: '' }).length, 3);
  assert.throws(() => chooseLoads(500, { PEAK_CPU: 'x' }), 'PEAK_CPU is "x"');
});

test('Peaks are scaled to the CPU limit, but not that of waiting.', () => {
  const peaks = (limit: number) => chooseLoads(limit, {}).map(({ peak }) => peak);
  const [cpu = 0, waiting, mixed = 0] = peaks(500);
  assert.equal(peaks(250), [cpu / 2, waiting, mixed / 2]);
  assert.is(chooseLoads(250, { LOADS: 'mixed', PEAK_MIXED: '99' })[0]?.peak, 99);
});

test('Peers take part when they have an image.', () => {
  const without = chooseSubjects(readSettings({}));
  const withPeers = chooseSubjects(readSettings({ PEERS_IMAGE: 'peers:1' }));
  assert.is(withPeers.length, without.length + 4);
  assert.is(new Set(withPeers.map(({ name }) => name)).size, withPeers.length);
});

test.run();
