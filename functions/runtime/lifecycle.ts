/** Where the process is in its life: what its host decides, and the probes tell. */
export interface Lifecycle {
  /** From the signal on that ends the process. */
  draining: boolean;
}
