import { type Summary, sum } from '../common/statistics';
import type { Comparison, Run } from './comparison';
import type { Load } from './loads';
import { inWords, medianOf, runsOf, summaryOf, type Value } from './medians';
import { alike, hpaSubject, knativeSubject, type Subject } from './subjects';

/** The answer of the report in a few sentences, with medians. */
export function answer(comparison: Comparison): string {
  const list = (value: Value) =>
    comparison.loads
      .map((load) => {
        const [knative, hpa] = [knativeSubject, hpaSubject].map(({ name }) =>
          inWords(medianOf(runsOf(comparison, load, name), value)),
        );
        return `${load.title} ${knative} and ${hpa}`;
      })
      .join(', ');
  return `${verdictInWords(comparison)} Seconds until the third replica was ready, on Knative and with the
HPA: ${list(({ measures }) => measures.toThird)}. Replica-seconds in the minute:
${list(({ measures }) => measures.replicaSeconds)}. ${failures(comparison)}`;
}

/** Which autoscaler is faster under a load, by the p95 of the first ten seconds. */
export interface Verdict {
  load: Load;
  /** Such as "the HPA is faster". */
  winner: string;
  /** The medians of both, in words. */
  medians: string;
}

/**
 * How many runs of each autoscaler a verdict needs. If both were the same, all of four would be faster than
 * all of four others in one of 35 cases.
 */
export const leastRuns = 4;

/** One autoscaler is faster if each of its runs is, with those of the subject that is alike. */
export function verdicts(comparison: Comparison): Verdict[] {
  return comparison.loads.map((load) => {
    const knative = p95Of(comparison, load, alike.knative);
    const hpa = p95Of(comparison, load, alike.hpa);
    return {
      load,
      winner: winnerOf(knative, hpa),
      medians: `p95 ${knative.median} ms on Knative, ${hpa.median} ms with the HPA`,
    };
  });
}

const verdictInWords = (comparison: Comparison) =>
  `In the first ten seconds of a spike ${byWinner(verdicts(comparison)).join('; ')}.`;

/** A clause for each winner, with the loads under which it is one. */
export function byWinner(all: Verdict[]): string[] {
  const winners = [...new Set(all.map(({ winner }) => winner))];
  return winners.map((name) => {
    const won = all.filter(({ winner }) => winner === name);
    const loads = won.map(({ load, medians }) => `under ${load.title} load (${medians})`);
    return `${name} ${loads.join(' and ')}`;
  });
}

/** The p95 of the first ten seconds, of subjects that are alike. */
interface P95 {
  /** Of the first subject, in words. */
  median: string;
  all: Summary;
  /** How many runs they have. */
  count: number;
}

function p95Of(comparison: Comparison, load: Load, subjects: Subject[]): P95 {
  const p95: Value = ({ measures }) => measures.p95AtFirst;
  const [deployed = [], ...others] = subjects.map(({ name }) => runsOf(comparison, load, name));
  const all = [...deployed, ...others.flat()];
  return {
    median: inWords(medianOf(deployed, p95)),
    all: summaryOf(all, p95),
    count: all.length,
  };
}

function winnerOf(knative: P95, hpa: P95): string {
  if (Math.min(knative.count, hpa.count) < leastRuns) return 'too few runs tell which is faster';
  if (knative.all.max < hpa.all.min) return 'Knative is faster';
  if (hpa.all.max < knative.all.min) return 'the HPA is faster';
  return 'neither is clearly faster';
}

function failures({ runs, subjects }: Comparison): string {
  const isOwn = (run: Run) =>
    subjects.some(({ name, software }) => name === run.subject && software === 'this service');
  const inTotal = (chosen: Run[]) => {
    const failed = sum(chosen.map(({ measures }) => measures.failed));
    const answered = sum(chosen.map(({ measures }) => measures.answered));
    return `${failed.toLocaleString('en')} of ${(failed + answered).toLocaleString('en')} requests`;
  };
  const peers = runs.filter((run) => !isOwn(run));
  return `This service failed ${inTotal(runs.filter(isOwn))}${peers.length > 0 ? `, the peers ${inTotal(peers)}` : ''}.`;
}
