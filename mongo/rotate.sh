#!/usr/bin/env bash
# Gives the service another user with another password, without a failed request: makes the new user
# beside the old, puts it into the Secret mongo-app, rolls out both variants, and drops the old user
# when no pod that knows it is left. (A new password for the same user would fail requests: a pool
# opens connections all the time.) After an interruption, run it again: it leaves one user.
. "$(dirname "$0")/../knative/deploy/lib.sh"

need_cluster
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

k get secret mongo-app -o json |
  sed -E "s/\"(username|password)\": \"[^\"]*\"/\"\1\": \"@\1@\"/" |
  sed "s/@username@/$(printf %s "$new" | base64)/; s/@password@/$(printf %s "$password" | base64)/" |
  k replace --filename - >/dev/null
echo "put it into the Secret mongo-app"

roll_out knative
roll_out hpa
echo "rolled out both variants"

mongosh "
  for (const { user } of admin.getUsers().users) {
    if (!/^app(-|\$)/.test(user) || user === '$new') continue;
    admin.dropUser(user);
    print('dropped the user ' + user);
  }
"
