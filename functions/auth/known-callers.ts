import type { Caller } from './caller';

/** How many verified tokens are kept, and of what total length. The oldest are dropped first. */
const limits = { tokens: 5000, characters: 4 * 1024 * 1024 };

/** Characters at the end of a token that it is found by. */
const tailLength = 32;

/** The callers of tokens that were verified, until the tokens expire. */
export interface KnownCallers {
  find(token: string): Caller | undefined;
  /**
   * Verifies a token, and remembers its caller, unless `clear` was called meanwhile.
   *
   * @param verify resolves to the caller and to when the token expires, in ms since 1970
   */
  learn(token: string, verify: (token: string) => Promise<Verified>): Promise<Caller>;
  clear(): void;
}

/** Whose a token is, until it expires, in ms since 1970. */
export interface Verified {
  caller: Caller;
  expiresAt: number;
}

/** @param limits how many tokens are kept, and how many characters they may have together */
export function knownCallers({ tokens, characters } = limits): KnownCallers {
  // By the end of the token: hashing 1 KiB would cost more than everything else here. The end is part of
  // the signature or of the secret, so nobody can guess it; then the whole token is compared.
  let known = new Map<string, Verified & { token: string }>();
  let length = 0;

  function forget(tail: string): void {
    length -= known.get(tail)?.token.length ?? 0;
    known.delete(tail);
  }

  return {
    find(token) {
      const tail = token.slice(-tailLength);
      const found = known.get(tail);
      if (found?.token !== token) return undefined;
      if (Date.now() < found.expiresAt) return found.caller;
      forget(tail);
      return undefined;
    },
    async learn(token, verify) {
      const before = known;
      const { caller, expiresAt } = await verify(token);
      if (known !== before || token.length > characters) return caller;
      const tail = token.slice(-tailLength);
      forget(tail);
      while (known.size >= tokens || length + token.length > characters) {
        forget(known.keys().next().value as string);
      }
      known.set(tail, { token, caller, expiresAt });
      length += token.length;
      return caller;
    },
    clear() {
      known = new Map();
      length = 0;
    },
  };
}
