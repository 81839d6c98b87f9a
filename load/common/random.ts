/** A seeded source of random numbers. */
export interface Random {
  /** Uniformly distributed, from `low` up to `high`. */
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, inclusive. */
  whole(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
}

/** @param seed a whole number, of which the lowest 32 bits count */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  // mulberry32: 32 bits of state, good enough for a schedule
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    between: (low, high) => low + next() * (high - low),
    whole,
    chance: (probability) => next() < probability,
    pick<T>(choices: readonly T[]): T {
      return choices[whole(0, choices.length - 1)] as T;
    },
    shuffle<T>(items: readonly T[]): T[] {
      const left = [...items];
      return items.map(() => left.splice(whole(0, left.length - 1), 1)[0] as T);
    },
  };
}
