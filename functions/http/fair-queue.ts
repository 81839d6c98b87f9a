/** More requests than this in one turn of the event loop are a queue. */
const enough = 16;
/** How many of a queue are begun in each turn. */
const fewAtATime = 4;

/**
 * Begins requests in the order of their arrival, and only a few in each turn of the event loop when
 * there are many. libuv accepts one connection in each turn
 * (https://github.com/libuv/libuv/pull/3696), so under a constant load whose turns are long, new
 * connections, such as those of probes, would wait for many seconds while others are served again and
 * again.
 *
 * The queue holds at most what the server's limits on connections and pipelined requests allow.
 *
 * @returns begins a request, at once or in a later turn
 */
export function fairQueue(): (begin: () => void) => void {
  let begun = 0;
  let queue: (() => void)[] = [];
  let next = 0;

  function turn(): void {
    begun = 0;
    while (next < queue.length && begun < fewAtATime) {
      begun++;
      queue[next++]?.();
    }
    if (next > 1000) {
      queue = queue.slice(next);
      next = 0;
    }
    if (next < queue.length) {
      setImmediate(turn);
    } else {
      queue = [];
      next = 0;
    }
  }

  return (begin) => {
    if (begun >= enough || queue.length > 0) {
      queue.push(begin);
    } else {
      begun++;
      if (begun === enough) setImmediate(turn);
      begin();
    }
  };
}
