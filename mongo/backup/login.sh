# How mongodump and mongorestore log in, as $login; sourced, not run.
# shellcheck shell=bash
umask 077

# by a file, so that the password is in no process's arguments
password=$(</run/secrets/root/password)
password=${password//\\/\\\\}
printf 'password: "%s"\n' "${password//\"/\\\"}" >/tmp/login.yaml
# shellcheck disable=SC2034
login=(--config=/tmp/login.yaml "--host=$MONGO_HOST" "--port=$MONGO_PORT"
  "--username=$(</run/secrets/root/username)" --authenticationDatabase=admin
  ${MONGO_TLS_CA_FILE:+--ssl "--sslCAFile=$MONGO_TLS_CA_FILE"})
