#!/usr/bin/env bash
# Prints the SBOM (SPDX) of the libraries that the image is built from.
# `npm sbom --omit=dev` alone leaves out mongodb, as a development dependency needs it, too: so the
# development dependencies are removed from a copy first.
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/lib.sh"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp package.json package-lock.json "$folder"
cd "$folder"
npm pkg delete devDependencies overrides
npm install --package-lock-only --offline --ignore-scripts --no-audit --no-fund >&2
npm sbom --sbom-format=spdx --package-lock-only
