import { MongoClient } from 'mongodb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parts } from '../index';
import { checkUri, explainUriError } from './uri-options';

/** The problems that are reported for a URI with these options, by us or by the driver. */
function problemsOf(options: string, before = 'mongodb://app:s3cret@db/shop'): string {
  const { uri, problems } = checkUri(`${before}?${options}`);
  if (problems.length > 0) return problems.join('\n');
  try {
    new MongoClient(uri);
  } catch (error) {
    return explainUriError(uri, error);
  }
  return 'nothing';
}

const rejected = (name: string) => `MONGODB_URI: the option ${name} can't be used here`;
const unusable = (names: string) => `MONGODB_URI: the driver can't use ${names} as given there`;

test('options to find MongoDB and to authenticate are kept unchanged', () => {
  for (const uri of [
    'mongodb://db',
    'mongodb://db?tls=true',
    'mongodb://app:p%3Fw@a:1,b:2/shop?replicaSet=rs0&authSource=admin&tlsCAFile=%2Fca%20file.pem',
    'mongodb+srv://db.example.com/?srvServiceName=x&authMechanism=scram-sha-256',
  ]) {
    assert.equal(checkUri(uri), { uri, problems: [] });
  }
});

test('options that the service decides are removed, in any spelling', () => {
  assert.equal(
    checkUri(
      'mongodb://db/shop?directConnection=true&W=0&%6Aournal=false&tls=true&readPreference=nearest' +
        '&readPreferenceTags=a:b&readPreferenceTags=&maxPoolSize=x&loadBalanced=false',
    ),
    { uri: 'mongodb://db/shop?tls=true', problems: [] },
  );
  assert.equal(checkUri('mongodb://db/?retryWrites=true&w=majority&appName=Cluster0'), {
    uri: 'mongodb://db/',
    problems: [],
  });
});

test('options that would change results, and unknown ones, are rejected by name', () => {
  for (const name of [
    'raw',
    'RAW',
    'promoteValues',
    'useBigInt64',
    'checkKeys',
    'pkFactory',
    'a',
  ]) {
    assert.is(problemsOf(`${name}=true`), rejected(name));
  }
  assert.is(problemsOf('loadBalanced=true'), rejected('loadBalanced'));
  assert.is(problemsOf('%72aw=true'), rejected('raw'));
  assert.is(problemsOf('a=b&tls=true&c=d&a=e'), `${rejected('a')}\n${rejected('c')}`);
  assert.match(
    problemsOf('authMechanism=NOPE'),
    'the option authMechanism must be one of DEFAULT, ',
  );
  assert.match(
    problemsOf('authMechanism=GSSAPI'),
    'the option authMechanism must be one of DEFAULT, ',
  );
});

test('options that the driver rejects are named', () => {
  assert.is(problemsOf('tls=maybe'), unusable('tls'));
  assert.is(problemsOf('ssl=true&tls=false'), unusable('ssl and tls'));
  assert.is(problemsOf('maxIdleTimeMS=x&authSource=admin'), unusable('maxIdleTimeMS'));
  assert.is(problemsOf('authSource=a&authSource=b'), unusable('authSource'));
  assert.is(problemsOf('replicaSet='), unusable('replicaSet'));
  assert.is(problemsOf('tlsAllowInvalidCertificates=x'), unusable('tlsAllowInvalidCertificates'));
  assert.is(problemsOf('authMechanism=MONGODB-X509'), unusable('authMechanism'));
  assert.is(problemsOf('srvMaxHosts=2'), unusable('srvMaxHosts'));
});

test('no values or parts of a password are repeated', () => {
  for (const before of ['mongodb://app:s3c@ret', 'mongodb://app:x', 'mongodb://app:s3c@ret@db/']) {
    for (const options of [
      's3cret=y@db/',
      's3cret',
      'tls=s3cret',
      'a=s3cret',
      'authMechanism=s3c',
    ]) {
      const line = problemsOf(options, before);
      assert.not.match(line, /s3c|ret/);
      assert.match(line, /^MONGODB_URI/);
    }
  }
});

test('reads return documents and writes are acknowledged, whatever the URI says', async () => {
  const given = parts().config.mongo.uri;
  const hostile =
    'w=0&journal=false&wtimeoutMS=1&readConcernLevel=snapshot&readPreference=secondary' +
    '&maxStalenessSeconds=90&readPreferenceTags=dc:x&directConnection=true&retryWrites=false' +
    '&socketTimeoutMS=1&serverSelectionTimeoutMS=1&compressors=snappy&maxPoolSize=0&minPoolSize=9';
  const { uri, problems } = checkUri(`${given}${given.includes('?') ? '&' : '/?'}${hostile}`);
  assert.equal(problems, []);
  const client = new MongoClient(uri);
  try {
    const documents = client.db(parts().config.mongo.databaseName).collection('uri-options');
    assert.is((await documents.insertOne({ n: 1 })).acknowledged, true);
    assert.equal(
      (await documents.find().toArray()).map(({ n }) => n),
      [1],
    );
  } finally {
    await client.close();
  }
});

test.run();
