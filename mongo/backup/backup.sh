#!/usr/bin/env bash
# Dumps the service's database into /backup and prunes. A dump that does not end well leaves nothing.
set -euo pipefail
# shellcheck source=mongo/backup/login.sh
. "$(dirname "$0")/login.sh"

archive=/backup/$MONGO_DATABASE-$(date -u +%Y%m%dT%H%M%SZ).archive.gz
trap 'rm -f "$archive.part"' EXIT
mongodump "${login[@]}" --db="$MONGO_DATABASE" --gzip --archive="$archive.part"
mv "$archive.part" "$archive"
echo "wrote $archive ($(stat -c %s "$archive") bytes)"

# their names sort by time
printf '%s\n' /backup/"$MONGO_DATABASE"-*.archive.gz | sort -r | tail -n "+$((KEEP + 1))" | xargs -r rm -v --
