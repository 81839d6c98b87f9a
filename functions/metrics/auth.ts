import { keySourceCreated } from '../auth/events';
import { listen } from '../runtime/event';
import type { Registry, Sample } from './registry';

/** Measures how old the keys are that callers are verified with. Without authentication there are none. */
export function measureAuth(registry: Registry): (() => void)[] {
  const ages = new Map<string, () => number>();
  registry.read(
    'gauge',
    {
      name: 'functions_auth_keys_age_seconds',
      help: 'Time since the keys in use were last loaded, or since the start if they never were.',
      labels: ['source'],
    },
    () => [...ages].map(([source, ageMs]): Sample => [ageMs() / 1000, source]),
  );
  return [listen(keySourceCreated, ({ source, ageMs }) => void ages.set(source, ageMs))];
}
