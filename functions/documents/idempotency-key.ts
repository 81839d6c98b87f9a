import { Problem } from '../http/problem';

/** A string as in RFC 8941, section 3.3.3, and parameters, which are ignored. */
const quoted =
  /^"((?:[ !#-[\]-~]|\\["\\]){1,255})"(?: *; *[a-z*][A-Za-z0-9_.*-]*(?:=(?:"[ !#-[\]-~]*"|[^;" ]+))?)*$/;

/** What most clients send: a UUID or the like, without quotes. */
const bare = /^[!#$%&'*+\-.^_`|~A-Za-z0-9:/=@]{1,255}$/;

/** What is accepted as a key, as a regular expression. */
export const idempotencyKeyPattern = `${quoted.source}|${bare.source}`;

/**
 * Parses an Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07): a string with or
 * without quotes.
 *
 * @throws {Problem} 400 if it is anything else, empty or longer than 255 characters
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = String(header).trim();
  const key = quoted.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? bare.exec(text)?.[0];
  if (!key) {
    throw new Problem(
      'invalid-idempotency-key',
      'Send the Idempotency-Key as one string of 1 to 255 characters in double quotes,' +
        ' such as "8e03978e-40d5-43e8-bc93-6894a57f9324", and a new one for each document.',
    );
  }
  return key;
}
