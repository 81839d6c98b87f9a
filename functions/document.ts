import * as z from 'zod/mini';
import { Problem } from './problem';

/** A JSON object, as it was posted. */
export type JsonObject = Record<string, unknown>;

/** Levels of nesting that are taken. MongoDB takes 100, of which the stored document needs a few. */
export const MAX_DEPTH = 64;

const object = z.object({});

/**
 * Checks that a value is a JSON object which the database can keep and give back as it was. The
 * value itself is what is stored: zod's copy of it would lack a name such as `__proto__`.
 *
 * @throws {Problem} 422 that names the field which can't be kept
 */
export function checkDocument(value: unknown): asserts value is JsonObject {
  if (isObject(value)) checkFields(value);
  const { error } = object.safeParse(value);
  if (error) {
    const issues = error.issues.map(({ path, message }) => ({ path, message }));
    throw new Problem('invalid-document', `Post a JSON object. ${issues[0]?.message}.`, { issues });
  }
}

interface Level {
  node: JsonObject;
  /** Of an object; an array has its indices. */
  names: string[] | undefined;
  size: number;
  next: number;
}

/** Visits every field, without recursion: depth is the client's to choose until it is checked. */
function checkFields(root: object): void {
  const levels: Level[] = [enter(root)];
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    const { node } = level;
    if (level.next === level.size) {
      levels.pop();
      continue;
    }
    const name = level.names?.[level.next];
    const value = node[name ?? level.next];
    level.next++;
    const reason = (name !== undefined && whyNotName(name, node)) || whyNotValue(value);
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
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function enter(node: object): Level {
  const names = Array.isArray(node) ? undefined : Object.keys(node);
  const { length } = names ?? (node as unknown[]);
  return { node: node as JsonObject, names, size: length, next: 0 };
}

function whyNotName(name: string, object: JsonObject): string | undefined {
  if (name.includes('\0')) return 'a name in BSON can not have a NUL character';
  if (!name.isWellFormed()) return 'the name has half of a surrogate pair';
  if (name === '_bsontype') return 'the MongoDB driver keeps this name for its own types';
  if (name === '$ref' && isSplitByDriver(object)) {
    return 'the MongoDB driver reads it as a DBRef, beside $id, and would split it at its dot';
  }
  return undefined;
}

/** bson's DBRef takes `a.b` for the collection b of the database a. */
function isSplitByDriver(object: JsonObject): boolean {
  const { $ref, $id = null } = object;
  return typeof $ref === 'string' && $ref.split('.').length === 2 && $id !== null;
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
