import { sum } from '../common/statistics';
import type { Comparison, Run } from './comparison';
import { inWords, medianOf, runsOf, type Value } from './medians';
import { hpaSubject, knativeSubject } from './subjects';

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

/** Which autoscaler is the better one under which load, by the p95 of the first ten seconds. */
function verdict(comparison: Comparison): string {
  const results = comparison.loads.map(({ title, ...load }) => {
    const [knative = 0, hpa = 0] = [knativeSubject, hpaSubject].map(({ name }) =>
      medianOf(runsOf(comparison, { title, ...load }, name), ({ measures }) => measures.p95AtFirst),
    );
    const [better, worse] = [knative, hpa].toSorted((a, b) => a - b).map((p95) => inWords(p95));
    return {
      winner: knative < hpa ? 'Knative' : 'the HPA',
      load: `under ${title} load (p95 ${better} against ${worse} ms)`,
    };
  });
  const sentences = ['Knative', 'the HPA'].flatMap((name) => {
    const won = results.filter(({ winner }) => winner === name);
    return won.length === 0 ? [] : `${name} is faster ${won.map(({ load }) => load).join(' and ')}`;
  });
  return `In the first ten seconds of a spike ${sentences.join(', ')}.`;
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
