/**
 * Finds the name of the field in a server's error message. FerretDB puts it in double quotes, with
 * the escapes of Go, and MongoDB in single quotes, as it is.
 *
 * @returns the first quoted name
 */
export function quotedName(message: string): string | undefined {
  const [, escaped, plain] = /"((?:[^"\\]|\\.)*)"|['`]([^'`]*)['`]/.exec(message) ?? [];
  return escaped?.replace(goEscape, unescaped) ?? plain;
}

const goEscape = /\\(?:x(..)|u(....)|U(.{8})|(.))/g;

const controls: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function unescaped(_: string, x?: string, u?: string, U?: string, letter = ''): string {
  const code = x ?? u ?? U;
  return code ? String.fromCodePoint(Number.parseInt(code, 16)) : (controls[letter] ?? letter);
}
