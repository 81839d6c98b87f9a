#!/usr/bin/env bash
# Dumps the service's database into /backup and prunes. A dump that does not end well leaves nothing.
set -euo pipefail
umask 077

# by a file, so that the password is in no process's arguments
printf 'password: "%s"\n' "$(cat /run/secrets/root/password)" >/tmp/mongodump.yaml
archive=/backup/$MONGO_DATABASE-$(date -u +%Y%m%dT%H%M%SZ).archive.gz
trap 'rm -f "$archive.part"' EXIT
mongodump --config /tmp/mongodump.yaml --host "$MONGO_HOST" --port "$MONGO_PORT" \
  --username "$(cat /run/secrets/root/username)" --authenticationDatabase admin \
  --db "$MONGO_DATABASE" --gzip --archive="$archive.part"
mv "$archive.part" "$archive"
echo "wrote $archive ($(stat -c %s "$archive") bytes)"

# their names sort by time
printf '%s\n' /backup/"$MONGO_DATABASE"-*.archive.gz | sort -r | tail -n "+$((KEEP + 1))" | xargs -r rm -v --
