// Run by the image on the first start, on an empty data folder: the user that the service has, with
// nothing but its own database.
const { readFileSync } = require('node:fs');

const secret = (key) => readFileSync(`/run/secrets/app/${key}`, 'utf8').trim();

db.getSiblingDB('admin').createUser({
  user: secret('username'),
  pwd: secret('password'),
  roles: [{ role: 'readWrite', db: process.env.MONGO_DATABASE }],
});
