/** What a document is made of: each kind costs another multiple of its text once it is parsed. */
export type Kind = keyof typeof units | (typeof others)[number];

const others = ['string', 'wide', 'escapes', 'names'] as const;

/** One element of the array that fills a document. */
const units = {
  rows: '{"id":7,"name":"name 17","price":1.25,"tags":["a","b"],"ok":true,"note":null}',
  points: '{"x":1.5,"y":2.25}',
  ints: '1',
  /** Numbers that are five times as long when they are written again. */
  powers: '1e20',
  arrays: '[]',
  objects: '{}',
  /** As deep as documents may be. */
  nested: `${'['.repeat(60)}${']'.repeat(60)}`,
};

export const kinds: Kind[] = [...(Object.keys(units) as (keyof typeof units)[]), ...others];

/** JSON of one kind, of `bytes` bytes at most and hardly fewer. */
export function json(kind: Kind, bytes: number): Buffer {
  const text = (unit: string, more = '') => {
    const room = bytes - '{"a":""}'.length - Buffer.byteLength(more);
    return `{"a":"${unit.repeat(room / unit.length)}${more}"}`;
  };
  switch (kind) {
    case 'string':
      return Buffer.from(text('x'));
    case 'wide': // in memory every character takes two bytes, as one of them has to
      return Buffer.from(text('x', '語'));
    case 'escapes': // of six bytes each in JSON, and one in memory
      return Buffer.from(text('\\u0001'));
    case 'names': {
      const members = Array.from({ length: bytes / 10 - 1 }, (_, n) => `"${name(n)}":1`);
      return Buffer.from(`{${members.join()}}`);
    }
    default: {
      const unit = units[kind];
      const count = Math.floor((bytes - '{"a":[]}'.length + 1) / (unit.length + 1));
      return Buffer.from(`{"a":[${Array(count).fill(unit).join()}]}`);
    }
  }
}

/** Five characters. */
function name(n: number): string {
  return `k${n.toString(36).padStart(4, '0')}`;
}
