#!/usr/bin/env bash
# Restores $ARCHIVE, a file's name in /backup, or the newest.
set -euo pipefail
# shellcheck source=mongo/backup/login.sh
. "$(dirname "$0")/login.sh"

# shellcheck disable=SC2153 # the manifest's variable
if [ "$ARCHIVE" = newest ]; then
  archive=$(printf '%s\n' /backup/"$MONGO_DATABASE"-*.archive.gz | sort | tail -n 1)
else
  archive=/backup/$ARCHIVE
fi
[ -f "$archive" ] || { echo "there is no backup $archive; there are: $(ls /backup)" >&2; exit 1; }

mongorestore "${login[@]}" --nsInclude="$MONGO_DATABASE.*" --gzip --archive="$archive"
