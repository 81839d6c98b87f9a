import { isUtf8 } from 'node:buffer';
import { libraries } from '../mongo/lazy-libraries';
import {
  ARRAY,
  BOOLEAN,
  Bson,
  DATE,
  DOUBLE,
  INT32,
  INT64,
  NULL,
  OBJECT,
  type Place,
  REGEXP,
  STRING,
  UNDEFINED,
} from './bson';

/** A stored document as clients see it. */
export interface ItemJson {
  /** Its `_id`: a string as it is, and any other type, which another program chose, as JSON. */
  id: string;
  /** `{"id":…,"createdAt":…,"data":…}` in UTF-8, without fields that the document lacks. */
  json: Buffer;
}

/**
 * Converts a document `{ _id, createdAt, data }` from BSON to JSON. The result is what
 * `JSON.stringify` makes of the driver's objects, except that names keep their order, none is lost,
 * and an object with `$ref` and `$id` is like any other. Invalid UTF-8 becomes U+FFFD.
 *
 * @param stored the bytes of one document, of any depth
 * @throws {Error} for bytes that are not BSON
 */
export function itemJson(stored: Uint8Array): ItemJson {
  const bson = new Bson(stored);
  const fields = bson.fields();
  const json = new Json(bson, stored.length + 32);
  json.text('{');
  json.field('"id":', fields._id);
  const id = json.toString(6);
  json.field('"createdAt":', fields.createdAt);
  json.field('"data":', fields.data);
  json.text('}');
  return { id: id.startsWith('"') ? JSON.parse(id) : id, json: json.toBuffer() };
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The escape sequence of each byte in a string, or undefined if it needs none. */
const escapes: (string | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const escaped = JSON.stringify(String.fromCharCode(byte)).slice(1, -1);
  return escaped.length > 1 ? escaped : undefined;
});

/** Below this many bytes, a loop copies faster than `set`. */
const SHORT = 48;

/** Writes JSON into a buffer that grows. */
class Json {
  private bytes: Buffer;
  private length = 0;

  /** @param size an estimate of the JSON's size, in bytes */
  constructor(
    private readonly bson: Bson,
    size: number,
  ) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  toString(from: number): string {
    return this.bytes.toString('utf8', from, this.length);
  }

  toBuffer(): Buffer {
    const json = this.bytes.subarray(0, this.length);
    if (!isUtf8(json)) return Buffer.from(json.toString());
    return this.length * 2 < this.bytes.length ? Buffer.from(json) : json;
  }

  field(name: string, place: Place | undefined): void {
    if (!place || place.type === UNDEFINED) return;
    if (this.length > 1) this.byte(COMMA);
    this.text(name);
    this.value(place.type, place.at);
  }

  /** Writes ASCII text. */
  text(text: string): void {
    const { length } = text;
    this.reserve(length);
    for (let i = 0; i < length; i++) this.bytes[this.length++] = text.charCodeAt(i);
  }

  private byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  private reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(this.bytes.length * 2 + size);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  /** Writes a value with all that is nested in it, without recursion, as a document may be deep. */
  private value(type: number, at: number): void {
    if (type !== OBJECT && type !== ARRAY) {
      this.scalar(type, at);
      return;
    }
    const { bson } = this;
    /** The closing brackets of all open objects and arrays. */
    const closing: number[] = [];
    let place = at;
    let isArray = type === ARRAY;
    let isFirst = true;
    this.byte(isArray ? OPEN_BRACKET : OPEN_BRACE);
    closing.push(isArray ? CLOSE_BRACKET : CLOSE_BRACE);
    place += 4;
    for (;;) {
      const kind = bson.uint8(place++);
      if (kind === 0) {
        this.byte(closing.pop() as number);
        if (closing.length === 0) return;
        isArray = closing.at(-1) === CLOSE_BRACKET;
        isFirst = false;
        continue;
      }
      const name = place;
      place = bson.nul(place) + 1;
      if (kind === UNDEFINED && !isArray) continue;
      if (!isFirst) this.byte(COMMA);
      isFirst = false;
      if (!isArray) {
        this.string(name, place - 1);
        this.byte(COLON);
      }
      if (kind === OBJECT || kind === ARRAY) {
        isArray = kind === ARRAY;
        isFirst = true;
        this.byte(isArray ? OPEN_BRACKET : OPEN_BRACE);
        closing.push(isArray ? CLOSE_BRACKET : CLOSE_BRACE);
        place += 4;
      } else {
        this.scalar(kind, place);
        place = bson.end(kind, place);
      }
    }
  }

  private scalar(type: number, at: number): void {
    const { bson } = this;
    if (type === STRING) this.string(at + 4, at + 3 + bson.view.getUint32(at, true));
    else if (type === INT32) this.text(String(bson.view.getInt32(at, true)));
    else if (type === DOUBLE) this.number(bson.view.getFloat64(at, true));
    else if (type === BOOLEAN) this.text(bson.uint8(at) === 1 ? 'true' : 'false');
    else if (type === NULL || type === UNDEFINED) this.text('null');
    else if (type === DATE) this.date(this.int64(at));
    else if (type === INT64 && Number.isSafeInteger(this.int64(at))) this.number(this.int64(at));
    else if (type === REGEXP)
      this.text('{}'); // JavaScript can't parse all of them
    else this.viaDriver(type, at);
  }

  private date(ms: number): void {
    const date = new Date(ms);
    this.text(Number.isNaN(date.getTime()) ? 'null' : `"${date.toISOString()}"`);
  }

  /** Reads a 64-bit integer, rounded to a double. */
  private int64(at: number): number {
    const { view } = this.bson;
    return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  }

  private number(number: number): void {
    this.text(Number.isFinite(number) ? String(number) : 'null');
  }

  /** Writes a BSON string, or a name. */
  private string(from: number, to: number): void {
    const source = this.bson.bytes;
    if (to > source.length) throw new Error('The stored document is not BSON: a text is too long.');
    this.reserve(to - from + 2);
    this.bytes[this.length++] = QUOTE;
    let start = from;
    for (let i = from; i < to; i++) {
      const escaped = escapes[source[i] as number];
      if (escaped === undefined) continue;
      this.copy(start, i);
      this.text(escaped);
      this.reserve(to - i + 1);
      start = i + 1;
    }
    this.copy(start, to);
    this.bytes[this.length++] = QUOTE;
  }

  private copy(from: number, to: number): void {
    const source = this.bson.bytes;
    if (to - from < SHORT) {
      for (let i = from; i < to; i++) this.bytes[this.length++] = source[i] as number;
    } else {
      this.bytes.set(source.subarray(from, to), this.length);
      this.length += to - from;
    }
  }

  /** Writes what the driver makes of a type that has no counterpart in JSON. */
  private viaDriver(type: number, at: number): void {
    const value = this.bson.bytes.subarray(at, this.bson.end(type, at));
    const document = Buffer.alloc(value.length + 7); // a size, the type, an empty name, the value, NUL
    document.writeInt32LE(document.length);
    document[4] = type;
    document.set(value, 6);
    const { '': read } = libraries().BSON.deserialize(document, { validation: { utf8: false } });
    const json = Buffer.from(JSON.stringify(read));
    this.reserve(json.length);
    this.bytes.set(json, this.length);
    this.length += json.length;
  }
}
