import * as assert from 'uvu/assert';
import { execInPod, kubectl } from './commands';
import { connectAsApp, mongosh, mongoshAsRoot } from './mongosh';
import { sendRequest, type Variant, variants } from './variants';

/**
 * Runs a check that only MongoDB has to pass. On FerretDB, which can stand in for MongoDB, the result says
 * that it failed, and the step passes.
 */
export async function onMongoDB(check: () => Promise<string>): Promise<string> {
  try {
    return await check();
  } catch (error) {
    const script = `${connectAsApp} print(db.adminCommand({ buildInfo: 1 }).ferretdbVersion ?? '')`;
    const ferretdb = (await mongosh(script)).trim();
    if (!ferretdb) throw error;
    return `not with FerretDB ${ferretdb}`;
  }
}

/** Stores a document with names that query languages use, and reads it from the other variant. */
export async function unusualNamesAreStored(): Promise<string> {
  const data = { $set: 1, 'a.b': { $ref: 'c', $id: [{ $date: 'd', 'e.f.': [[]] }] } };
  const [writer, reader] = variants as [Variant, Variant];
  const { id } = await sendRequest(writer, '/data', data);
  assert.equal((await sendRequest(reader, `/data/${id}`)).data, data);
  return 'yes';
}

/** Takes a backup, deletes all documents, restores the backup, and reads a document that was in it. */
export async function backupIsRestored(): Promise<string> {
  await execInPod('probe', 'mongodump', '--version'); // without it the job would retry for minutes
  const [writer, reader] = variants as [Variant, Variant];
  const { id } = await sendRequest(writer, '/data', { test: 'backup' });
  await kubectl('create', 'job', 'backup-now', '--from', 'cronjob/mongo-backup');
  await waitForJob('job/backup-now');
  await mongoshAsRoot('admin.getSiblingDB(process.env.MONGO_DATABASE).documents.deleteMany({})');
  assert.match(await sendRequest(reader, `/data/${id}`).catch(String), /404/);
  await waitForJob(await kubectl('create', '-f', 'mongo/backup/restore.yaml', '-o', 'name'));
  assert.equal((await sendRequest(reader, `/data/${id}`)).data, { test: 'backup' });
  return `${id} was restored`;
}

async function waitForJob(job: string): Promise<void> {
  await kubectl('wait', '--for', 'condition=Complete', job.trim(), '--timeout', '300s');
}
