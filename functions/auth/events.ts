import { event } from '../runtime/event';

/** Where keys come from: a label of the metrics. */
export type KeySourceName = 'issuer' | 'api-keys';

/** Keys that are kept up to date. */
export interface CreatedKeySource {
  source: KeySourceName;
  /** How long ago the keys were last loaded, or the source was created if they never were, in ms. */
  ageMs(): number;
}

/** From now on, keys are loaded again and again. */
export const keySourceCreated = event<CreatedKeySource>('auth.key-source-created');
