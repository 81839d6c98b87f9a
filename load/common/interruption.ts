const controller = new AbortController();

/**
 * Aborted when the process is asked to end: by Ctrl-C, by its parent, or as the terminal is closed. What
 * changes a cluster looks at it where it waits, so that it puts things back before it ends. Imported, it
 * keeps these signals from ending the process at once.
 */
export const interruption: AbortSignal = controller.signal;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => controller.abort(new Error('interrupted')));
}
