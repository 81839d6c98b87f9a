/**
 * Prepares a password as in RFC 4013, for the driver: the build puts this in place of
 * `@mongodb-js/saslprep`, whose Unicode tables take longer to unpack than the driver to log in.
 * Printable ASCII stays as it is, so only other passwords need them.
 *
 * @throws {Error} for a password with characters that are prohibited
 */
export function saslprep(password: string): string {
  if (/^[ -~]*$/.test(password)) return password;
  const full =
    require('../../node_modules/@mongodb-js/saslprep/dist/node.js') as typeof import('@mongodb-js/saslprep');
  return full.saslprep(password);
}
