#!/usr/bin/env bash
# image.sh [build] [push]: builds the image with docker, podman or buildah, whichever is there, and
# pushes it; without a REGISTRY it is loaded on kind or minikube, if one of them is the context.
#   REGISTRY_HTTP=true   the registry speaks plain HTTP
. "$(dirname "$0")/lib.sh"

for tool in ${TOOL:-docker podman buildah}; do
  "$tool" info >/dev/null 2>&1 && break
  tool=
done
[ -n "$tool" ] || die "None of docker, podman and buildah works here: install or start one of them."

build() {
  local command=(build)
  [ "$tool" != buildah ] || command=(build --layers)
  "$tool" "${command[@]}" --tag "$IMAGE" .
}

push() {
  case $IMAGE in
  dev.local/* | kind.local/*) load ;;
  *)
    if [ "$tool" != docker ] && [ "${REGISTRY_HTTP:-}" = true ]; then
      "$tool" push --tls-verify=false "$IMAGE"
    else
      "$tool" push "$IMAGE" # docker takes plain HTTP from its daemon's insecure-registries
    fi
    ;;
  esac
}

# load: puts the image on the node of a kind or minikube cluster
load() {
  local context profile archive
  context=$(kubectl config current-context 2>/dev/null) || true
  profile=$(kubectl get nodes -o jsonpath='{.items[0].metadata.labels.minikube\.k8s\.io/name}' 2>/dev/null) || true
  [[ $context == kind-* || -n $profile ]] ||
    die "Set REGISTRY, so that the cluster can pull the image: the context is neither kind nor minikube."
  archive=$(mktemp -d)
  trap 'rm -r "$archive"' EXIT
  case $tool in
  buildah) buildah push "$IMAGE" "docker-archive:$archive/image.tar:$IMAGE" ;;
  *) "$tool" save --output "$archive/image.tar" "$IMAGE" ;;
  esac
  if [ -n "$profile" ]; then
    minikube --profile "$profile" image load "$archive/image.tar"
  else
    kind load image-archive "$archive/image.tar" --name "${context#kind-}"
  fi
}

[ $# -gt 0 ] || set -- build push
for step in "$@"; do
  case $step in
  build | push) "$step" ;;
  *) die "usage: npm run image [-- build] [push]" ;;
  esac
done
echo "$IMAGE"
