#!/usr/bin/env bash
# Makes the database's users that are missing, once MongoDB is up. The image makes them on an empty
# data folder only, so a first start that was interrupted leaves them out for good. A user that is
# there stays as it is.
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/../knative/deploy/lib.sh"

# the Secret, not the pod's file, which comes later: after a rotation it has the user that was dropped
username=$(k get secret mongo-app -o jsonpath='{.data.username}')

in_mongosh "
  const login = () => {
    try {
      return connect(asRoot);
    } catch (error) {
      if (error.code !== 18) throw error; // AuthenticationFailed
    }
    // a server without users lets anyone on its own machine create the first one
    connect('mongodb://127.0.0.1/admin' + tls).createUser({
      user: root('username'),
      pwd: root('password'),
      roles: ['root'],
    });
    print('made the user ' + root('username') + ', who was missing');
    return connect(asRoot);
  };
  const app = Buffer.from('$username', 'base64').toString().replace(/\\n+\$/, '');
  db = login();
  if (!db.getUser(app)) {
    load('/docker-entrypoint-initdb.d/create-user.js');
    if (!db.getUser(app)) throw new Error('The pod mongo-0 has an older Secret mongo-app. Try again in two minutes.');
    print('made the user ' + app + ', who was missing');
  }
"
