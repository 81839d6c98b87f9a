/**
 * The options of a URI that are used: how to find MongoDB and how to authenticate. `authMechanism`
 * has to be one of `mechanisms`.
 */
const used = [
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

/** Options that the service decides itself, and removes: Atlas, mongosh and others add them. */
const removed = [
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

const known = [...used, ...removed, 'loadBalanced'];

/** Authentication mechanisms that need no library besides the driver. */
const mechanisms = ['DEFAULT', 'MONGODB-X509', 'PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'];

/** Names that the driver's errors use for some of the options. */
const aliases: Record<string, string> = {
  mechanism: 'authMechanism',
  checkserveridentity: 'tlsAllowInvalidHostnames',
  rejectunauthorized: 'tlsAllowInvalidCertificates',
};

interface Option {
  /** In the driver's spelling, or else, if it is unknown, as in the URI. */
  name: string;
  value: string;
  /** `name=value`, as in the URI. */
  text: string;
}

/**
 * Removes the options of a URI that the service decides itself, so that none of them makes reads
 * stale or writes less durable.
 *
 * @param caFile the path of the certificates to trust: turns TLS on
 * @returns the URI for the driver, and one line for every option that can't be used, without values
 */
export function checkUri(uri: string, caFile?: string): { uri: string; problems: string[] } {
  const { head, options } = splitUri(uri);
  const problems = new Set<string>();
  const kept: string[] = [];
  for (const option of options) {
    const { name, value, text } = option;
    if (name === 'authMechanism' && !mechanisms.includes(value.toUpperCase())) {
      problems.add(`MONGODB_URI: the option authMechanism must be one of ${mechanisms.join(', ')}`);
    } else if (used.includes(name)) {
      kept.push(text);
    } else if (!removed.includes(name) && !(name === 'loadBalanced' && value === 'false')) {
      problems.add(`MONGODB_URI: ${describe(option, uri)} can't be used here`);
    }
  }
  if (caFile) {
    for (const problem of contradictionsToTls(options)) problems.add(problem);
    // the driver takes no option twice
    if (!options.some(isTls)) kept.push('tls=true');
    kept.push(`tlsCAFile=${encodeURIComponent(caFile)}`);
  }
  return { uri: kept.length > 0 ? `${head}?${kept.join('&')}` : head, problems: [...problems] };
}

const insecure = ['tlsInsecure', 'tlsAllowInvalidCertificates'];

const isTls = ({ name }: Option) => name === 'tls' || name === 'ssl';

/** One line for every option that contradicts MONGO_TLS_CA_FILE. */
function contradictionsToTls(options: Option[]): string[] {
  return options.flatMap((option) => {
    if (isTls(option) && option.value === 'false') {
      return `MONGO_TLS_CA_FILE: turns TLS on, but MONGODB_URI has ${option.name}=false`;
    }
    if (insecure.includes(option.name) && option.value === 'true') {
      return `MONGO_TLS_CA_FILE: protects nothing, as MONGODB_URI has ${option.name}=true`;
    }
    return option.name === 'tlsCAFile'
      ? 'MONGO_TLS_CA_FILE: MONGODB_URI has tlsCAFile already: set one of the two'
      : [];
  });
}

/**
 * Explains which part of a URI the driver rejects, by the names of options, without any value, user
 * or password.
 */
export function explainUriError(uri: string, error: unknown): string {
  const words = String((error as Error).message)
    .toLowerCase()
    .split(/\W+/)
    .map((word) => aliases[word]?.toLowerCase() ?? word);
  const names = splitUri(uri)
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

/** Splits a URI as the driver does: a `?` in the user or the password does not start the options. */
function splitUri(uri: string): { head: string; options: Option[] } {
  const head = /^[^/]+:\/\/(?:[^:@]*(?::[^@]*)?@)?[^?]*/.exec(uri)?.[0] ?? uri;
  const texts = uri
    .slice(head.length + 1)
    .split('&')
    .filter((text) => text !== '');
  return { head, options: texts.map(parseOption) };
}

function parseOption(text: string): Option {
  const [[spelled, value] = ['', '']] = new URLSearchParams(text);
  const name = known.find((option) => option.toLowerCase() === spelled.toLowerCase());
  return { name: name ?? spelled, value, text };
}

/** An option by its name, unless that could be part of a password that contains `@` or `?`. */
function describe({ name, text }: Option, uri: string): string {
  const isName = /^\w+$/.test(name) && text.includes('=') && uri.split('@').length <= 2;
  return isName ? `the option ${name}` : 'one of its options';
}
