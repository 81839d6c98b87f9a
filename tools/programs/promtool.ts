import { onPath } from './program-cache';

/** The version of the Go module that Prometheus in knative/monitoring/prometheus.yaml is built from. */
export const prometheusVersion = 'v0.316.0';

/**
 * What to install where there is no promtool. It takes Go minutes to build it, and would take more with
 * the libraries of every cloud, which the tags leave out.
 */
export const installPromtool = `promtool (go install -tags remove_all_sd,enable_kubernetes_sd github.com/prometheus/prometheus/cmd/promtool@${prometheusVersion})`;

/** @returns the path of promtool, if it is on the PATH */
export function findPromtool(): string | undefined {
  return onPath('promtool');
}
