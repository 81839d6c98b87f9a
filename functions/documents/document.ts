import * as z from 'zod/mini';
import { Problem } from '../http/problem';

/** A JSON object, as it was posted. */
export type JsonObject = Record<string, unknown>;

/** The deepest nesting that is accepted. MongoDB accepts 100 levels, and storing adds a few. */
export const MAX_DEPTH = 64;

const object = z.object({});

/** A JSON object that can be stored. */
export interface CheckedDocument {
  /** The object itself, because zod's copy would lack names such as `__proto__`. */
  value: JsonObject;
  /** The number of fields and array items, on all levels. */
  elements: number;
}

/**
 * Checks that a value is a JSON object that MongoDB can store and return unchanged.
 *
 * @throws {Problem} 422 that names the field that can't be stored
 */
export function checkDocument(value: unknown): CheckedDocument {
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
  /** The names of an object's fields; undefined for an array. */
  names: string[] | undefined;
  size: number;
  next: number;
}

/**
 * Checks every field, without recursion, because the client chooses the depth.
 *
 * @returns the number of fields and array items
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
    const reason = (name !== undefined && nameProblem(name)) || valueProblem(value);
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

function nameProblem(name: string): string | undefined {
  if (name.includes('\0')) return 'a name in BSON cannot contain a NUL character';
  if (!name.isWellFormed()) return 'the name contains half of a surrogate pair';
  if (name === '_bsontype') return 'the MongoDB driver reserves this name for its own types';
  return undefined;
}

function valueProblem(value: unknown): string | undefined {
  if (typeof value === 'string' && !value.isWellFormed()) {
    return 'the text contains half of a surrogate pair';
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return 'the number is too large for a double';
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

/** A document that is ready to be stored. */
export interface Document {
  /** The document as it is stored and returned. */
  json: string | Buffer;
  /** An upper bound of its size in a command, in bytes. */
  bytes: number;
  /** The parsed document. */
  value(): JsonObject;
}

/** Heap that a parsed document may take while it waits to be written, in bytes. */
const MAX_PARSED_BYTES = 16 * 1024;

/**
 * Prepares a document to be stored. A parsed document takes up to 21 times the memory of its text, so
 * a large one is kept as text, and parsed again when it is written.
 *
 * @param elements the number of fields and array items, on all levels
 */
export function toDocument(parsed: JsonObject, elements: number): Document {
  const json = JSON.stringify(parsed);
  const size = Buffer.byteLength(json);
  // in BSON an element has a type, a name or index, and at most 8 bytes besides its text
  const bytes = size + 16 * elements;
  if (2 * size + 64 * elements <= MAX_PARSED_BYTES) return { json, bytes, value: () => parsed };
  return keptAsText(Buffer.from(json), bytes);
}

/** A function of its own, because a closure in `toDocument` would also keep the parsed document. */
function keptAsText(json: Buffer, bytes: number): Document {
  return { json, bytes, value: () => JSON.parse(json.toString()) };
}
