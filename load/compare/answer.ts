import { sum } from '../common/statistics';
import type { Comparison, Run } from './comparison';
import { inWords, medianOf, runsOf, type Value } from './medians';
import { alike, hpaSubject, knativeSubject } from './subjects';

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
  const p95AtFirst: Value = ({ measures }) => measures.p95AtFirst;
  const results = comparison.loads.map((load) => {
    const [knative, hpa] = [alike.knative, alike.hpa].map((subjects) => {
      const [deployed = [], ...others] = subjects.map(({ name }) => runsOf(comparison, load, name));
      const runs = [...deployed, ...others.flat()];
      const all =
        runs.length > 0
          ? runs.map((run) => p95AtFirst(run) ?? Number.POSITIVE_INFINITY)
          : [0, Number.POSITIVE_INFINITY]; // unknown
      return {
        median: inWords(medianOf(deployed, p95AtFirst)),
        fastest: Math.min(...all),
        slowest: Math.max(...all),
      };
    }) as [Range, Range];
    const isFaster = (a: Range, b: Range) => a.slowest < b.fastest;
    const winner = isFaster(knative, hpa)
      ? 'Knative is faster'
      : isFaster(hpa, knative)
        ? 'the HPA is faster'
        : 'neither is clearly faster';
    return {
      winner,
      load: `under ${load.title} load (p95 ${knative.median} ms on Knative, ${hpa.median} ms with the HPA)`,
    };
  });
  const winners = [...new Set(results.map(({ winner }) => winner))];
  const sentences = winners.map((name) => {
    const loads = results.filter(({ winner }) => winner === name).map(({ load }) => load);
    return `${name} ${loads.join(' and ')}`;
  });
  return `In the first ten seconds of a spike ${sentences.join(', ')}.`;
}

interface Range {
  median: string;
  fastest: number;
  slowest: number;
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
