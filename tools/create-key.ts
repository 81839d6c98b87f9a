import { createApiKey } from '../functions/auth/api-keys';

/**
 * `npm run key -- NAME SCOPE…`: makes an API key. Its line for the list of keys goes to standard output, the
 * key itself to the terminal only, and nowhere else.
 */
const [name = '', ...scopes] = process.argv.slice(2);

try {
  const { key, line } = createApiKey(name, scopes);
  console.error(`The key of ${name}, which is shown only now:\n\n  ${key}\n`);
  console.error('Its line in the file of AUTH_API_KEYS_FILE:\n');
  console.log(line);
} catch {
  console.error('Use npm run key -- NAME SCOPE…, such as: npm run key -- ci data:read data:write');
  console.error('A name has letters from a to z, digits and hyphens.');
  process.exitCode = 1;
}
