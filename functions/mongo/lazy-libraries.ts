type Libraries = typeof import('./libraries');

let loaded: Libraries | undefined;

/** Libraries that take long to load: loaded on the first call, so that the service starts fast. */
export function libraries(): Libraries {
  loaded ??= require('./libraries') as Libraries;
  return loaded;
}
