import { sum } from '../common/statistics';

/** Iterations per second, held or changed evenly over some seconds. */
interface Stage {
  name: 'WARM_UP' | 'RISE' | 'HOLD' | 'FALL' | 'QUIET';
  seconds: number;
  /** The rate at its end. */
  rate: number;
}

const seconds = { WARM_UP: 8, RISE: 3, HOLD: 42, FALL: 2, QUIET: 5 };

/** The spike, as stages: from `rate` to `peak` and back within a minute. */
export function stagesOf({ rate, peak }: { rate: number; peak: number }): Stage[] {
  const rates = { WARM_UP: rate, RISE: peak, HOLD: peak, FALL: rate, QUIET: rate };
  return (Object.keys(seconds) as Stage['name'][]).map((name) => ({
    ...{ name, seconds: seconds[name], rate: rates[name] },
  }));
}

/** Iterations that are due in each second. */
export function intendedPerSecond(stages: Stage[]): number[] {
  return stages.flatMap(({ seconds, rate }, i) => {
    const from = stages[i - 1]?.rate ?? rate;
    return Array.from(
      { length: seconds },
      (_, second) => from + ((rate - from) * (second + 0.5)) / seconds,
    );
  });
}

/** How long the stages up to and including one of them take, in seconds. */
export function until(stages: Stage[], last: Stage['name']): number {
  const index = stages.findIndex(({ name }) => name === last);
  return sum(stages.slice(0, index + 1).map(({ seconds }) => seconds));
}
