import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { behaviorInWords } from './hpa-behavior';

const pods = (value: number, periodSeconds = 15) => ({ type: 'Pods', value, periodSeconds });
const percent = (value: number) => ({ type: 'Percent', value, periodSeconds: 15 });

test('The policies of an HPA are said in words.', () => {
  const say = (direction: 'up' | 'down', rules: object) =>
    behaviorInWords(direction, JSON.stringify(rules));
  assert.is(
    say('up', { policies: [pods(3)], selectPolicy: 'Max', stabilizationWindowSeconds: 0 }),
    'adds at most 3 pods in 15 s, without waiting',
  );
  assert.is(
    say('down', { policies: [percent(100)], stabilizationWindowSeconds: 60 }),
    'removes at most 100 % in 15 s, following the highest recommendation of the last 60 s',
  );
  assert.is(
    say('up', { policies: [pods(1, 30), percent(50)], selectPolicy: 'Min' }),
    'adds at most 1 pod in 30 s or 50 % in 15 s, whichever is less, without waiting',
  );
  assert.is(say('down', { selectPolicy: 'Disabled' }), 'removes no pods');
});

test('An HPA without a behavior has the defaults of Kubernetes.', () => {
  const up = 'adds at most 4 pods or 100 % in 15 s, whichever is more, without waiting';
  assert.is(behaviorInWords('up'), up);
  assert.is(behaviorInWords('up', '{"policies":[]}'), up);
  assert.match(behaviorInWords('down'), 'recommendation of the last 300 s');
});

test.run();
