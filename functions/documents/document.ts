import * as z from 'zod/mini';
import { Problem } from '../http/problem';

/** A JSON object, as it was posted. */
export type JsonObject = Record<string, unknown>;

/** Levels of nesting that are taken. MongoDB takes 100, of which the stored document needs a few. */
export const MAX_DEPTH = 64;

const object = z.object({});

/** A JSON object that can be kept. */
export interface Checked {
  /** The object itself: zod's copy of it would lack a name such as `__proto__`. */
  value: JsonObject;
  /** How many fields and elements are in it, at any level. */
  elements: number;
}

/**
 * Checks that a value is a JSON object which the database can keep and give back as it was.
 *
 * @throws {Problem} 422 that names the field which can't be kept
 */
export function checkDocument(value: unknown): Checked {
  const elements = isObject(value) ? checkFields(value) : 0;
  const { error } = object.safeParse(value);
  if (error) {
    const issues = error.issues.map(({ path, message }) => ({ path, message }));
    throw new Problem('invalid-document', `Post a JSON object. ${issues[0]?.message}.`, { issues });
  }
  return { value: value as JsonObject, elements };
}

interface Level {
  node: JsonObject;
  /** Of an object; an array has its indices. */
  names: string[] | undefined;
  size: number;
  next: number;
}

/**
 * Visits every field, without recursion: depth is the client's to choose until it is checked.
 *
 * @returns how many there are
 */
function checkFields(root: object): number {
  let elements = 0;
  const levels: Level[] = [enter(root)];
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    const { node } = level;
    if (level.next === level.size) {
      elements += level.size;
      levels.pop();
      continue;
    }
    const name = level.names?.[level.next];
    const value = node[name ?? level.next];
    level.next++;
    const reason = (name !== undefined && whyNotName(name)) || whyNotValue(value);
    if (reason) throw unstorable(pathTo(levels), reason);
    if (isObject(value)) {
      if (levels.length === MAX_DEPTH) {
        throw new Problem(
          'nesting-too-deep',
          `Nest objects and arrays at most ${MAX_DEPTH} levels deep.`,
        );
      }
      levels.push(enter(value));
    }
  }
  return elements;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function enter(node: object): Level {
  const names = Array.isArray(node) ? undefined : Object.keys(node);
  const { length } = names ?? (node as unknown[]);
  return { node: node as JsonObject, names, size: length, next: 0 };
}

function whyNotName(name: string): string | undefined {
  if (name.includes('\0')) return 'a name in BSON can not have a NUL character';
  if (!name.isWellFormed()) return 'the name has half of a surrogate pair';
  if (name === '_bsontype') return 'the MongoDB driver keeps this name for its own types';
  return undefined;
}

function whyNotValue(value: unknown): string | undefined {
  if (typeof value === 'string' && !value.isWellFormed()) {
    return 'the text has half of a surrogate pair';
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return 'the number is larger than a double can be';
  }
  return undefined;
}

function pathTo(levels: Level[]): PropertyKey[] {
  return levels.map(({ names, next }) => names?.[next - 1] ?? next - 1);
}

function unstorable(path: PropertyKey[], reason: string): Problem {
  const field = path.map((key) => JSON.stringify(key)).join(' → ');
  return new Problem('invalid-document', `The field ${field} can't be stored: ${reason}.`, {
    issues: [{ path, message: reason }],
  });
}

/** A document that may be stored. */
export interface Document {
  /** As it is stored, and comes back. */
  json: string | Buffer;
  /** Bytes that it takes in a command, at most. */
  bytes: number;
  value(): JsonObject;
}

/** Bytes of the heap that a parsed document may take while it waits to be written. */
const MAX_PARSED = 16 * 1024;

/**
 * A parsed document takes up to 21 times the memory of its text. So a large one is kept as text, and
 * parsed again when it is written.
 *
 * @param elements fields and items of arrays, on all levels
 */
export function toDocument(parsed: JsonObject, elements: number): Document {
  const json = JSON.stringify(parsed);
  const size = Buffer.byteLength(json);
  // in BSON an element is its type, its name or index, and 8 bytes at most besides its text
  const bytes = size + 16 * elements;
  if (2 * size + 64 * elements <= MAX_PARSED) return { json, bytes, value: () => parsed };
  return keptAsText(Buffer.from(json), bytes);
}

/** On its own, as a closure above would keep the parsed document, too. */
function keptAsText(json: Buffer, bytes: number): Document {
  return { json, bytes, value: () => JSON.parse(json.toString()) };
}
