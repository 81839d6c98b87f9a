import { Problem } from '../http/problem';

const MAX_LENGTH = 255;

/** A string as RFC 8941, section 3.3.3, has it, and parameters, which mean nothing here. */
const quoted =
  /^"((?:[ !#-[\]-~]|\\["\\])*)"(?: *; *[a-z*][\w.*-]*(?:=(?:"[ !#-[\]-~]*"|[^;" ]+))?)*$/;

/** As most clients send it: a UUID or the like, without quotes. */
const bare = /^[!#$%&'*+\-.^_`|~\w:/=@]+$/;

/**
 * The value of an Idempotency-Key header
 * (draft-ietf-httpapi-idempotency-key-header-07): a string in quotes, or the same without them.
 *
 * @throws {Problem} 400 when it is neither, empty or longer than 255 characters
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = String(header).trim();
  const key = quoted.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? bare.exec(text)?.[0];
  if (!key || key.length > MAX_LENGTH) {
    throw new Problem(
      'invalid-idempotency-key',
      `Send the Idempotency-Key as one string of 1 to ${MAX_LENGTH} characters in double quotes,` +
        ' such as "8e03978e-40d5-43e8-bc93-6894a57f9324", and a new one for each document.',
    );
  }
  return key;
}
