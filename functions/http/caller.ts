import type { IncomingMessage } from 'node:http';

const caller = Symbol('caller');

type Identified = Pick<IncomingMessage, 'headers'> & { [caller]?: string };

/** Notes who sent a request, for its line in the log. */
export function setCaller(req: Identified, name: string): void {
  req[caller] = name;
}

/** Who sent a request, if that is known. */
export function callerOf(req: Identified): string | undefined {
  return req[caller];
}
