#!/usr/bin/env bash
# release-notes.sh VERSION URL: what CHANGELOG.md says about a version, its links made links into URL
set -euo pipefail
cd "$(dirname "$0")/.."

notes=$(awk -v heading="## [$1]" '/^## / { inside = index($0, heading) == 1; next } inside' CHANGELOG.md |
  sed -E "s|\]\((\.?/?)([^):#]+[^):]*)\)|](${2}/\2)|g")
[ -n "$notes" ] || {
  echo "CHANGELOG.md has no section [$1]." >&2
  exit 1
}
echo "$notes" | sed '/./,$!d'
