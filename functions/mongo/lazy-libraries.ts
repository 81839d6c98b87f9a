import { once } from '../runtime/once';

/** Libraries that take long to load: loaded on the first call, so that the service starts fast. */
export const libraries = once(() => require('./libraries') as typeof import('./libraries'));
