import { sum } from '../common/statistics';
import type { Comparison, Run } from './comparison';
import type { Load } from './loads';
import { inWords, medianOf, runsOf, type Value } from './medians';
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
  return `${verdict(comparison)} Seconds until the third replica was ready, on Knative and with the
HPA: ${list(({ measures }) => measures.toThird)}. Replica-seconds in the minute:
${list(({ measures }) => measures.replicaSeconds)}. ${failures(comparison)}`;
}

/**
 * Which autoscaler is the better one under which load, by the p95 of the first ten seconds. One is if each
 * of its runs is faster than each of the other's, with those of the subject that is alike.
 */
function verdict(comparison: Comparison): string {
  const results = comparison.loads.map((load) => {
    const knative = rangeOf(comparison, load, alike.knative);
    const hpa = rangeOf(comparison, load, alike.hpa);
    return {
      winner: winnerOf(knative, hpa),
      load: `under ${load.title} load (p95 ${knative.median} ms on Knative, ${hpa.median} ms with the HPA)`,
    };
  });
  const winners = [...new Set(results.map(({ winner }) => winner))];
  const sentences = winners.map((name) => {
    const loads = results.filter(({ winner }) => winner === name).map(({ load }) => load);
    return `${name} ${loads.join(' and ')}`;
  });
  return `In the first ten seconds of a spike ${sentences.join('; ')}.`;
}

interface Range {
  /** Of the first subject, in words. */
  median: string;
  /** Of all runs, in ms. */
  fastest: number;
  slowest: number;
}

/** The p95 of the first ten seconds, of subjects that are alike. */
function rangeOf(comparison: Comparison, load: Load, subjects: Subject[]): Range {
  const value: Value = ({ measures }) => measures.p95AtFirst;
  const [deployed = [], ...others] = subjects.map(({ name }) => runsOf(comparison, load, name));
  const all = [...deployed, ...others.flat()].map((run) => value(run) ?? Number.POSITIVE_INFINITY);
  const known = all.length > 0 ? all : [0, Number.POSITIVE_INFINITY];
  return {
    median: inWords(medianOf(deployed, value)),
    fastest: Math.min(...known),
    slowest: Math.max(...known),
  };
}

function winnerOf(knative: Range, hpa: Range): string {
  if (knative.slowest < hpa.fastest) return 'Knative is faster';
  if (hpa.slowest < knative.fastest) return 'the HPA is faster';
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
