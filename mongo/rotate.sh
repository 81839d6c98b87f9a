#!/usr/bin/env bash
# Gives the service another user with another password, without a failed request: makes the new user
# beside the old, puts it into the Secret mongo-app, rolls out the variants that are deployed, and drops
# the old user when no pod that knows it is left. (A new password for the same user would fail requests:
# a pool opens connections all the time.) After an interruption, run it again: it leaves one user.
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/../knative/deploy/lib.sh"

need_cluster
k get secret mongo-app >/dev/null # before there is a user that it can't get
new=app-$(date -u +%Y%m%d%H%M%S)
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')

mongosh "
  admin.createUser({
    user: '$new',
    pwd: '$password',
    roles: [{ role: 'readWrite', db: process.env.MONGO_DATABASE }],
  });
"
echo "made the user $new"

# by a pipe: what is among the arguments is seen by everybody on this machine
k patch secret mongo-app --type merge --patch-file /dev/stdin <<END >/dev/null
{"stringData": {"username": "$new", "password": "$password"}}
END
echo "put it into the Secret mongo-app"

roll_out knative
roll_out hpa

mongosh "
  for (const { user } of admin.getUsers().users) {
    if (!/^app(-|\$)/.test(user) || user === '$new') continue;
    admin.dropUser(user);
    print('dropped the user ' + user);
  }
"
