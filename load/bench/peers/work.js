// The work that all Node.js peers share, so that only their frameworks differ.
const { MongoClient } = require('mongodb');
const { v7: uuidv7 } = require('uuid');

// https://www.mongodb.com/docs/drivers/node/current/get-started/
const client = new MongoClient(process.env.MONGODB_URI);
const documents = client.db().collection('documents');

exports.time = (timezone = 'UTC') => {
  const now = new Date();
  const epochMs = now.getTime();
  if (timezone === 'UTC') return { time: now.toISOString(), epochMs, timezone };
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(
    offsetFormatter(timezone).format(now),
  );
  const offsetMs = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const time = new Date(epochMs + offsetMs)
    .toISOString()
    .replace('Z', `${sign}${hours}:${minutes}`);
  return { time, epochMs, timezone };
};

// a formatter takes ten times as long to make as to use
const offsetFormatters = new Map();

function offsetFormatter(timeZone) {
  let formatter = offsetFormatters.get(timeZone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    offsetFormatters.set(timeZone, formatter);
  }
  return formatter;
}

exports.insert = async (data) => {
  const id = uuidv7();
  const createdAt = new Date();
  await documents.insertOne({ _id: id, createdAt, data });
  return { id, createdAt, data };
};

exports.list = async (limit = 50) => {
  const found = await documents
    .find()
    .sort({ _id: -1 })
    .limit(limit + 1)
    .toArray();
  const items = found.slice(0, limit).map(toItem);
  return { items, next: found.length > limit ? items.at(-1).id : null };
};

exports.read = async (id) => toItem(await documents.findOne({ _id: id }));

const toItem = ({ _id, createdAt, data }) => ({ id: _id, createdAt, data });
