/** The types of BSON (https://bsonspec.org/spec.html). */
export const DOUBLE = 1;
export const STRING = 2;
export const OBJECT = 3;
export const ARRAY = 4;
const BINARY = 5;
export const UNDEFINED = 6;
const OBJECT_ID = 7;
export const BOOLEAN = 8;
export const DATE = 9;
export const NULL = 10;
export const REGEXP = 11;
const DB_POINTER = 12;
const CODE = 13;
const SYMBOL = 14;
const CODE_WITH_SCOPE = 15;
export const INT32 = 16;
const TIMESTAMP = 17;
export const INT64 = 18;
const DECIMAL128 = 19;
const MAX_KEY = 127;
const MIN_KEY = 255;

/** The type and the offset of a value. */
export interface Place {
  type: number;
  at: number;
}

interface Fields {
  _id: Place | undefined;
  createdAt: Place | undefined;
  data: Place | undefined;
}

/** Reads the bytes of one document. Lengths are read as unsigned, so that reading never goes back. */
export class Bson {
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(at: number): number {
    const byte = this.bytes[at];
    if (byte === undefined) throw new Error('The stored document is not BSON: it ends too early.');
    return byte;
  }

  /** @returns the offset of the next NUL, which ends a name */
  nul(at: number): number {
    let end = at;
    while (this.uint8(end) !== 0) end++;
    return end;
  }

  /** The fields at the top level. If a name occurs twice, the last one counts. */
  fields(): Fields {
    const fields: Fields = { _id: undefined, createdAt: undefined, data: undefined };
    for (let at = 4; ; ) {
      const type = this.uint8(at);
      if (type === 0) return fields;
      const name = at + 1;
      const end = this.nul(name);
      at = end + 1;
      if (this.is('_id', name, end)) fields._id = { type, at };
      else if (this.is('createdAt', name, end)) fields.createdAt = { type, at };
      else if (this.is('data', name, end)) fields.data = { type, at };
      at = this.end(type, at);
    }
  }

  private is(name: string, from: number, to: number): boolean {
    if (name.length !== to - from) return false;
    for (let i = 0; i < name.length; i++) {
      if (name.charCodeAt(i) !== this.bytes[from + i]) return false;
    }
    return true;
  }

  /** @returns the offset after a value */
  end(type: number, at: number): number {
    switch (type) {
      case UNDEFINED:
      case NULL:
      case MIN_KEY:
      case MAX_KEY:
        return at;
      case BOOLEAN:
        return at + 1;
      case INT32:
        return at + 4;
      case DOUBLE:
      case DATE:
      case TIMESTAMP:
      case INT64:
        return at + 8;
      case OBJECT_ID:
        return at + 12;
      case DECIMAL128:
        return at + 16;
      case REGEXP:
        return this.nul(this.nul(at) + 1) + 1;
      case OBJECT:
      case ARRAY:
      case CODE_WITH_SCOPE:
        return at + this.view.getUint32(at, true);
      case STRING:
      case CODE:
      case SYMBOL:
        return at + 4 + this.view.getUint32(at, true);
      case BINARY:
        return at + 5 + this.view.getUint32(at, true);
      case DB_POINTER:
        return at + 16 + this.view.getUint32(at, true);
      default:
        throw new Error(`The stored document is not BSON: ${type} is not a type.`);
    }
  }
}
