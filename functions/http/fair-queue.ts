/** Requests that are begun in one turn of the event loop. */
const perTurn = 64;

/**
 * Begins requests in the order of their arrival, and no more than 64 in each turn of the event loop.
 * The sockets of a thousand requests can be ready in the same turn. If all were begun in it,
 * responses of MongoDB, timers and new connections would have to wait for hundreds of milliseconds.
 *
 * The queue is bounded by the server's limits on connections and pipelined requests.
 *
 * @returns begins a request, now or in a later turn
 */
export function fairQueue(): (begin: () => void) => void {
  let queue: (() => void)[] = [];
  let next = 0;
  let begun = 0;

  function continueQueue(): void {
    begun = 0;
    const end = Math.min(next + perTurn, queue.length);
    while (next < end) queue[next++]?.();
    if (next === queue.length || next > 1000) {
      queue = queue.slice(next);
      next = 0;
    }
    if (queue.length > 0) setImmediate(continueQueue);
  }

  return (begin) => {
    if (begun === perTurn || queue.length > 0) {
      queue.push(begin);
      return;
    }
    begun++;
    // whether all 64 began in this turn can't be known; at setImmediate it ends
    if (begun === perTurn) setImmediate(continueQueue);
    begin();
  };
}
