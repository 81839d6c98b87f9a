// The work that all Node.js peers share, so that only their frameworks differ.
const { MongoClient } = require('mongodb');
const { v7: uuidv7 } = require('uuid');

// https://www.mongodb.com/docs/drivers/node/current/get-started/
const client = new MongoClient(process.env.MONGODB_URI);
const documents = client.db().collection('documents');

exports.time = () => {
  const now = new Date();
  return { time: now.toISOString(), epochMs: now.getTime(), timezone: 'UTC' };
};

exports.insert = async (data) => {
  const id = uuidv7();
  const createdAt = new Date();
  await documents.insertOne({ _id: id, createdAt, data });
  return { id, createdAt, data };
};

exports.list = async () => {
  const found = await documents.find().sort({ _id: -1 }).limit(51).toArray();
  const items = found
    .slice(0, 50)
    .map(({ _id, createdAt, data }) => ({ id: _id, createdAt, data }));
  return { items, next: found.length > 50 ? items.at(-1).id : null };
};
