/** The state of the process: set by the host, reported by the probes. */
export interface Lifecycle {
  /** True from the signal that ends the process. */
  draining: boolean;
}
