/** Where in a text something is, from its first character to after its last. */
export interface Range {
  start: number;
  end: number;
}

/**
 * Finds a field in JSON. If its name is given twice, the last one counts, as in `JSON.parse`.
 *
 * @param text valid JSON
 * @param path the names and indexes that lead to the field
 * @returns its name and value, or the item of an array; undefined if it is not there
 */
export function locate(text: string, path: (string | number)[]): Range | undefined {
  const token = /\s*("(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+)/gy;
  let last = 0;
  const read = () => {
    const [, found = ''] = token.exec(text) ?? [];
    last = token.lastIndex;
    return found;
  };
  let found: Range | undefined;

  /** Reads a value. @param depth how much of the path has led here, or -1 off the path */
  function value(first: string, depth: number): void {
    if (first !== '{' && first !== '[') return;
    const close = first === '{' ? '}' : ']';
    for (let index = 0, next = read(); next && next !== close; index++) {
      if (next === ',') next = read();
      const start = last - next.length;
      let key: string | number = index;
      if (first === '{') {
        key = JSON.parse(next);
        read(); // the colon
        next = read();
      }
      const isOnPath = depth >= 0 && String(path[depth]) === String(key);
      if (isOnPath) found = undefined;
      value(next, isOnPath ? depth + 1 : -1);
      if (isOnPath && depth === path.length - 1) found = { start, end: last };
      next = read();
    }
  }
  value(read(), 0);
  return found;
}
