/**
 * Where the database is and how it lets the service in: these options of a URI count.
 * `authMechanism` is one of `mechanisms`.
 */
const counting = [
  'authMechanism',
  'authSource',
  'maxIdleTimeMS',
  'replicaSet',
  'srvAllowedHostsSuffix',
  'srvMaxHosts',
  'srvServiceName',
  'ssl',
  'tls',
  'tlsAllowInvalidCertificates',
  'tlsAllowInvalidHostnames',
  'tlsCAFile',
  'tlsCertificateKeyFile',
  'tlsCertificateKeyFilePassword',
  'tlsCRLFile',
  'tlsInsecure',
];

/** What the service decides itself, and leaves out of a URI: Atlas, mongosh and others put them there. */
const decided = [
  'appName',
  'compressors',
  'connectTimeoutMS',
  'directConnection',
  'heartbeatFrequencyMS',
  'j',
  'journal',
  'localThresholdMS',
  'maxConnecting',
  'maxPoolSize',
  'maxStalenessSeconds',
  'minPoolSize',
  'readConcernLevel',
  'readPreference',
  'readPreferenceTags',
  'retryReads',
  'retryWrites',
  'serverMonitoringMode',
  'serverSelectionTimeoutMS',
  'socketTimeoutMS',
  'timeoutMS',
  'w',
  'waitQueueTimeoutMS',
  'wtimeout',
  'wtimeoutMS',
  'zlibCompressionLevel',
];

const known = [...counting, ...decided, 'loadBalanced'];

/** Those that need no library beside the driver. */
const mechanisms = ['DEFAULT', 'MONGODB-X509', 'PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'];

/** Names by which the driver's errors call some of the options. */
const aliases: Record<string, string> = {
  mechanism: 'authMechanism',
  checkserveridentity: 'tlsAllowInvalidHostnames',
  rejectunauthorized: 'tlsAllowInvalidCertificates',
};

interface Option {
  /** As it is known, or as the URI spells it. */
  name: string;
  value: string;
  /** `name=value`, as the URI has it. */
  text: string;
}

/**
 * Takes out of a URI what the service decides itself, so that no option makes an answer stale or
 * empty, or an acknowledgement worth less.
 *
 * @returns the URI for the driver, and a line for every option that can't be used, without any value
 */
export function checkUri(uri: string): { uri: string; problems: string[] } {
  const { head, options } = parts(uri);
  const problems = new Set<string>();
  const kept: string[] = [];
  for (const option of options) {
    const { name, value, text } = option;
    if (name === 'authMechanism' && !mechanisms.includes(value.toUpperCase())) {
      problems.add(`MONGODB_URI: the option authMechanism must be one of ${mechanisms.join(', ')}`);
    } else if (counting.includes(name)) {
      kept.push(text);
    } else if (!decided.includes(name) && !(name === 'loadBalanced' && value === 'false')) {
      problems.add(`MONGODB_URI: ${called(option, uri)} can't be used here`);
    }
  }
  return { uri: kept.length > 0 ? `${head}?${kept.join('&')}` : head, problems: [...problems] };
}

/**
 * Says what of a URI the driver refuses, by the names of its options and without any value, user or
 * password.
 */
export function explainUriError(uri: string, error: unknown): string {
  const words = String((error as Error).message)
    .toLowerCase()
    .split(/\W+/)
    .map((word) => aliases[word]?.toLowerCase() ?? word);
  const names = parts(uri)
    .options.map(({ name }) => name)
    .filter((name, i, all) => all.indexOf(name) === i && known.includes(name))
    .filter((name) => words.includes(name.toLowerCase()));
  if (names.length > 0) {
    return `MONGODB_URI: the driver can't use ${names.join(' and ')} as given there`;
  }
  return (
    "MONGODB_URI, or MONGO_HOST: the driver can't use this; a URI looks like" +
    ' mongodb://user:password@host:27017/database?authSource=admin, with reserved characters' +
    ' in the user and the password percent-encoded'
  );
}

/** Divides a URI as the driver does: a `?` in the user or the password begins no options. */
function parts(uri: string): { head: string; options: Option[] } {
  const before = /^[^/]+:\/\/(?:[^:@]*(?::[^@]*)?@)?[^?]*/.exec(uri)?.[0] ?? uri;
  const texts = uri
    .slice(before.length + 1)
    .split('&')
    .filter((text) => text !== '');
  return { head: before, options: texts.map(optionOf) };
}

function optionOf(text: string): Option {
  const [[spelled, value] = ['', '']] = new URLSearchParams(text);
  const name = known.find((one) => one.toLowerCase() === spelled.toLowerCase());
  return { name: name ?? spelled, value, text };
}

/** An option by its name, unless that could be a piece of a password with an `@` or a `?` in it. */
function called({ name, text }: Option, uri: string): string {
  const isName = /^\w+$/.test(name) && text.includes('=') && uri.split('@').length <= 2;
  return isName ? `the option ${name}` : 'an option of it';
}
