import type { Comparison } from './comparison';

/** How many runs a round has: one of each subject under each load. */
const runsPerRound = ({ loads, subjects }: Comparison) => loads.length * subjects.length;

export const isComplete = (comparison: Comparison): boolean =>
  comparison.runs.length === comparison.settings.rounds * runsPerRound(comparison);

/** How much of an experiment there is. */
export function roundsInWords(comparison: Comparison): string {
  const { runs, settings } = comparison;
  const perRound = runsPerRound(comparison);
  const complete = Math.floor(runs.length / perRound);
  const rest = runs.length % perRound;
  const rounds = complete === 1 ? 'one round' : `${complete} rounds`;
  return complete === settings.rounds
    ? rounds
    : `${rounds} of ${settings.rounds}${rest > 0 ? `, and ${rest} of the ${perRound} runs of the next` : ''}`;
}
