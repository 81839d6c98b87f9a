import type { Comparison, Run } from './comparison';
import { inWords, medianOf, runsOf, type Value } from './medians';
import { hpaSubject, knativeSubject } from './subjects';

/** The answer of the report in a few sentences, with medians. */
export function answer(comparison: Comparison): string {
  const list = (value: Value, unit?: string) =>
    comparison.loads
      .map((load) => {
        const [knative, hpa] = [knativeSubject, hpaSubject].map(({ name }) =>
          inWords(medianOf(runsOf(comparison, load, name), value), unit),
        );
        return `${load.title.toLowerCase()} ${knative} on Knative, ${hpa} with the HPA`;
      })
      .join('; ');
  return `${verdict(comparison)} Third replica ready, from when the load begins to rise:
${list(({ measures }) => measures.toThird, 's')}. p95 in the first ten seconds:
${list(({ measures }) => measures.p95AtFirst, 'ms')}. Replica-seconds in the minute:
${list(({ measures }) => measures.replicaSeconds)}. ${failures(comparison)}`;
}

/** Which autoscaler is the better one under which load, by the p95 of the first ten seconds. */
function verdict(comparison: Comparison): string {
  const faster = comparison.loads.map((load) => {
    const [knative = 0, hpa = 0] = [knativeSubject, hpaSubject].map(({ name }) =>
      medianOf(runsOf(comparison, load, name), ({ measures }) => measures.p95AtFirst),
    );
    return { load, name: knative < hpa ? 'Knative' : 'the HPA' };
  });
  const sentences = ['Knative', 'the HPA'].flatMap((name) => {
    const won = faster.filter((each) => each.name === name);
    if (won.length === 0) return [];
    const titles = won.map(({ load }) => load.title.toLowerCase()).join(' and ');
    return `${name} is faster under ${titles} load`;
  });
  return `In the first ten seconds of a spike ${sentences.join(', ')}.`;
}

function failures({ runs, subjects }: Comparison): string {
  const isOwn = (run: Run) =>
    subjects.some(({ name, software }) => name === run.subject && software === 'this service');
  const inTotal = (chosen: Run[]) => {
    const failed = chosen.reduce((sum, { measures }) => sum + measures.failed, 0);
    const answered = chosen.reduce((sum, { measures }) => sum + measures.answered, 0);
    return `${failed.toLocaleString('en')} of ${(failed + answered).toLocaleString('en')} requests`;
  };
  const peers = runs.filter((run) => !isOwn(run));
  return `This service failed ${inTotal(runs.filter(isOwn))}${peers.length > 0 ? `, the peers ${inTotal(peers)}` : ''}.`;
}
