import type { V2HPAScalingPolicy, V2HPAScalingRules } from '@kubernetes/client-node';

/** What Kubernetes uses where an HPA has no behavior of its own. */
const defaults = {
  up: {
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
    stabilizationWindowSeconds: 0,
  },
  down: {
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    stabilizationWindowSeconds: 300,
  },
};

/**
 * An HPA's `scaleUp` or `scaleDown` in words, such as "adds at most 4 pods or 100 % in 15 s, whichever is
 * more, without waiting".
 *
 * @param json the rules, as JSON
 */
export function behaviorInWords(direction: 'up' | 'down', json = '{}'): string {
  const rules = JSON.parse(json) as Partial<V2HPAScalingRules>;
  const { selectPolicy = 'Max' } = rules;
  if (selectPolicy === 'Disabled') return direction === 'up' ? 'adds no pods' : 'removes no pods';
  const policies = rules.policies?.length ? rules.policies : defaults[direction].policies;
  const window = rules.stabilizationWindowSeconds ?? defaults[direction].stabilizationWindowSeconds;
  return [
    `${direction === 'up' ? 'adds' : 'removes'} at most ${limits(policies)}`,
    ...(policies.length > 1 ? [`whichever is ${selectPolicy === 'Min' ? 'less' : 'more'}`] : []),
    window === 0
      ? 'without waiting'
      : `following the ${direction === 'up' ? 'lowest' : 'highest'} recommendation of the last ${window} s`,
  ].join(', ');
}

function limits(policies: V2HPAScalingPolicy[]): string {
  const [first] = policies;
  const sharePeriod = policies.every(({ periodSeconds }) => periodSeconds === first?.periodSeconds);
  const amounts = policies.map(({ type, value, periodSeconds }) => {
    const pods = value === 1 ? 'pod' : 'pods';
    const amount = type === 'Percent' ? `${value} %` : `${value} ${pods}`;
    return sharePeriod ? amount : `${amount} in ${periodSeconds} s`;
  });
  return amounts.join(' or ') + (sharePeriod ? ` in ${first?.periodSeconds} s` : '');
}
