/** What a document consists of. Kinds differ in how much memory they take once parsed. */
export type Kind = keyof typeof elements | (typeof others)[number];

const others = ['string', 'wide', 'escapes', 'names'] as const;

/** The element that is repeated to fill a document. */
const elements = {
  rows: '{"id":7,"name":"name 17","price":1.25,"tags":["a","b"],"ok":true,"note":null}',
  points: '{"x":1.5,"y":2.25}',
  ints: '1',
  /** Numbers that are five times as long when serialized again. */
  powers: '1e20',
  arrays: '[]',
  objects: '{}',
  /** Nested about as deeply as is allowed. */
  nested: `${'['.repeat(60)}${']'.repeat(60)}`,
};

export const kinds: Kind[] = [...(Object.keys(elements) as (keyof typeof elements)[]), ...others];

/** @returns JSON that is as close to `bytes` bytes as its elements allow, and never longer */
export function jsonOf(kind: Kind, bytes: number): Buffer {
  const text = (element: string, end = '') => {
    const room = bytes - '{"a":""}'.length - Buffer.byteLength(end);
    return `{"a":"${element.repeat(room / element.length)}${end}"}`;
  };
  switch (kind) {
    case 'string':
      return Buffer.from(text('x'));
    case 'wide': // V8 stores each character in two bytes as soon as one needs them
      return Buffer.from(text('x', '語'));
    case 'escapes': // six bytes in JSON, one in memory
      return Buffer.from(text('\\u0001'));
    case 'names': {
      const members = Array.from({ length: bytes / 10 - 1 }, (_, n) => `"${name(n)}":1`);
      return Buffer.from(`{${members.join()}}`);
    }
    default: {
      const element = elements[kind];
      const count = Math.floor((bytes - '{"a":[]}'.length + 1) / (element.length + 1));
      return Buffer.from(`{"a":[${Array(count).fill(element).join()}]}`);
    }
  }
}

/** @returns five characters */
function name(n: number): string {
  return `k${n.toString(36).padStart(4, '0')}`;
}
