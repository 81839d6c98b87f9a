#!/usr/bin/env bash
# reproduce.sh [OPTION...]: builds the image of this commit twice with buildah, without any cache, and
# compares the layers. The options are those of buildah bud, such as --isolation chroot.
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/lib.sh"

has buildah || die "buildah is missing: install it."
epoch=$(git log -1 --format=%ct)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# layers [OPTION...]: the digests of the layers of a new build
layers() {
  buildah bud --no-cache --timestamp "$epoch" --iidfile "$folder/id" --quiet "$@" . >/dev/null || return
  buildah inspect --type image --format '{{range .OCIv1.RootFS.DiffIDs}}{{println .}}{{end}}' "$(cat "$folder/id")" || return
  buildah rmi "$(cat "$folder/id")" >/dev/null
}

layers "$@" | tee "$folder/first"
layers "$@" >"$folder/second"
diff "$folder/first" "$folder/second" || die "The second build has other layers."
echo "Both builds have these layers."
