import { onPath } from './program-cache';

/** That of the Prometheus in knative/monitoring/prometheus.yaml, whose module counts it so. */
export const prometheusVersion = 'v0.316.0';

/** What to install where there is no promtool. It takes Go five minutes to build it. */
export const installPromtool = `promtool (go install github.com/prometheus/prometheus/cmd/promtool@${prometheusVersion})`;

/** @returns the path of promtool, if it is on the PATH */
export function findPromtool(): string | undefined {
  return onPath('promtool');
}
