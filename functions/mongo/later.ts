type Libraries = typeof import('./libraries');

let loaded: Libraries | undefined;

/** The libraries that take long to load, and are loaded when they are first asked for. */
export function later(): Libraries {
  loaded ??= require('./libraries') as Libraries;
  return loaded;
}
