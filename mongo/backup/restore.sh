#!/usr/bin/env bash
# Restores $ARCHIVE, a file's name in /backup, or the newest.
set -euo pipefail
umask 077

if [ "$ARCHIVE" = newest ]; then
  archive=$(printf '%s\n' /backup/"$MONGO_DATABASE"-*.archive.gz | sort | tail -n 1)
else
  archive=/backup/$ARCHIVE
fi
[ -f "$archive" ] || { echo "there is no backup $archive; there are: $(ls /backup)" >&2; exit 1; }

printf 'password: "%s"\n' "$(cat /run/secrets/root/password)" >/tmp/mongorestore.yaml
mongorestore --config /tmp/mongorestore.yaml --host "$MONGO_HOST" --port "$MONGO_PORT" \
  --username "$(cat /run/secrets/root/username)" --authenticationDatabase admin \
  --nsInclude "$MONGO_DATABASE.*" --gzip --archive="$archive"
