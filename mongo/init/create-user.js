// The user that the service has, with nothing but its own database. Run by the image on the first
// start, on an empty data folder, and by mongo/users.sh where that was interrupted.
{
  // newlines at the end are no part of a secret, as for a shell's `$(cat FILE)`
  const secret = (key) =>
    require('node:fs').readFileSync(`/run/secrets/app/${key}`, 'utf8').replace(/\n+$/, '');
  const admin = db.getSiblingDB('admin');
  const user = secret('username');
  if (!admin.getUser(user)) {
    admin.createUser({
      user,
      pwd: secret('password'),
      roles: [{ role: 'readWrite', db: process.env.MONGO_DATABASE }],
    });
  }
}
