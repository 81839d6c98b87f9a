import type { Target } from '../common/cluster';
import { perSecond } from '../common/k6-samples';
import { sample } from '../common/run-and-read';
import { watchCpu } from './cluster-cpu';
import type { Run } from './comparison';
import type { Load } from './loads';
import { measure, type Times } from './measures';
import { intendedPerSecond, stagesOf, until } from './stages';
import { isPeer, peers, type Subject } from './subjects';
import { watchWorkload } from './watch-workload';

export type Spike = Pick<Run, 'times' | 'measures' | 'cpu' | 'seconds' | 'replicas'>;

/** Sends one spike to what is deployed, and measures it. */
export async function runSpike(
  k6: string,
  load: Load,
  { software }: Subject,
  { url, host }: Target,
): Promise<Spike> {
  const stages = stagesOf(load);
  const intended = intendedPerSecond(stages);
  const watch = await watchWorkload();
  const watchedCpu = watchCpu();
  const samples = await sample(k6, 'spike.js', {
    BASE_URL: url,
    HOST: host,
    ...(isPeer(software) && peers[software].paths),
    MIX: load.mix,
    RATE: `${load.rate}`,
    PEAK: `${load.peak}`,
    // each iteration is a new client: kept connections would stay with the replicas that they began with
    K6_NO_VU_CONNECTION_REUSE: 'true',
    VUS: `${10 * load.peak}`,
    // enough clients that no iteration is dropped, however slow the responses are
    MAX_VUS: `${load.peak * intended.length}`,
    ...Object.fromEntries(stages.map(({ name, seconds }) => [name, `${seconds}s`])),
  });
  const begin = Math.floor(samples.iterations[0] ?? 0);
  const at = (second: number) => begin + 1000 * second;
  const times: Times = {
    begin,
    spike: at(until(stages, 'WARM_UP')),
    fall: at(until(stages, 'HOLD')),
    end: at(intended.length),
  };
  const cpu = await watchedCpu.stop(times);
  watch.stop();
  const before = watch.replicas.findLast((replicas) => replicas.at <= begin);
  const during = watch.replicas.filter(
    (replicas) => replicas.at > begin && replicas.at <= times.end,
  );
  const replicas = [...(before ? [before] : []), ...during];
  return {
    ...{ times, cpu, replicas },
    measures: measure(samples, intended, replicas, times),
    seconds: perSecond(samples, begin, intended.length),
  };
}
