#!/usr/bin/env bash
# Copies the service's documents from the single server to the replica set, or back, as $TO says. A
# document whose _id is there already stays as it is.
set -euo pipefail
# shellcheck source=mongo/backup/login.sh
. "$(dirname "$0")/login.sh"

# a URI has its password percent-encoded, and so nothing that YAML takes for something else
uri=$(</run/secrets/replica-set/databaseAdmin_rs0_connectionString)
printf 'uri: "%s"\n' "$uri&tlsCAFile=/run/secrets/replica-set-ca/ca.crt" >/tmp/replica-set.yaml
replica_set=(--config=/tmp/replica-set.yaml)

case $TO in
replica-set) from=("${login[@]}") to=("${replica_set[@]}") ;;
single) from=("${replica_set[@]}") to=("${login[@]}") ;;
*) echo "TO can't be \"$TO\": it is replica-set or single." >&2 && exit 1 ;;
esac

mongodump "${from[@]}" --db="$MONGO_DATABASE" --archive |
  mongorestore "${to[@]}" --nsInclude="$MONGO_DATABASE.*" --archive
