import { functionNames } from '../functions/app';
import { createApiKey } from '../functions/auth/api-keys';

/**
 * `npm run key -- NAME SCOPE…`: makes an API key. Its line for the list of keys goes to standard output, the
 * key itself to the terminal only, and nowhere else.
 */
const [name = '', ...scopes] = process.argv.slice(2);

try {
  const { key, line } = createApiKey(name, scopes);
  for (const named of new Set(scopes.map((scope) => scope.slice(0, scope.lastIndexOf(':'))))) {
    if (functionNames.includes(named)) continue;
    console.error(`There is no function ${named}; there are ${functionNames.join(' and ')}.\n`);
  }
  console.error(`The key of ${name}, which is shown only now:\n\n  ${key}\n`);
  console.error(
    process.stdout.isTTY
      ? 'Its line for the file of AUTH_API_KEYS_FILE:\n'
      : 'Its line for the file of AUTH_API_KEYS_FILE went to standard output.',
  );
  console.log(line);
} catch {
  console.error('Use npm run key -- NAME SCOPE…, such as: npm run key -- ci data:read data:write');
  console.error('A name has letters from a to z, digits and hyphens.');
  console.error('A scope is FUNCTION:read or FUNCTION:write, such as data:read.');
  process.exitCode = 1;
}
