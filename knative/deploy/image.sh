#!/usr/bin/env bash
# image.sh [build] [push]: builds the image with docker, podman or buildah, whichever is there, and
# pushes it; without a REGISTRY it is loaded on kind or minikube, if one of them is the context.
# deploy.sh then deploys it, by the digest that it has in the registry.
#   REGISTRY_HTTP=true   the registry speaks plain HTTP
#   TOOL                 docker, podman or buildah; without, the first that works
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || set -- build push
for step in "$@"; do
  [[ $step =~ ^(build|push)$ ]] || die "usage: npm run image [-- build] [push]"
done
need_image
[[ $IMAGE != *@* ]] || die "\"$IMAGE\" has a digest, which an image gets when it is pushed: leave it out."

for tool in ${TOOL:=docker podman buildah}; do
  "$tool" info >/dev/null 2>&1 && break
  tool=
done
[ -n "$tool" ] || die "None of these works here: $TOOL. Install or start one of docker, podman and buildah."

build() {
  local command=(build) version revision
  [ "$tool" != buildah ] || command=(build --layers)
  version=$(node -p 'require("./package.json").version')
  revision=$(git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null || echo unknown)
  # docker before version 23 has another builder, which doesn't know BUILDPLATFORM
  DOCKER_BUILDKIT=1 "$tool" "${command[@]}" --tag "$IMAGE" --build-arg VERSION="$version" --build-arg REVISION="$revision" .
  record
}

push() {
  case $IMAGE in
  dev.local/* | kind.local/*)
    load
    record
    ;;
  *)
    push_to_registry
    record "$digest"
    ;;
  esac
}

# push_to_registry: sets `digest` to what the registry knows the image by
push_to_registry() {
  local name=$IMAGE file options=()
  if [ "$tool" = docker ]; then
    docker push "$IMAGE" # takes plain HTTP from its daemon's insecure-registries
    [[ ${IMAGE##*/} != *:* ]] || name=${IMAGE%:*}
    name=${name#docker.io/} # which docker leaves out
    digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$IMAGE" |
      sed -n "s|^$name@||p")
  else
    file=$(mktemp)
    [ "${REGISTRY_HTTP:-}" != true ] || options=(--tls-verify=false)
    "$tool" push ${options[@]+"${options[@]}"} --digestfile "$file" "$IMAGE"
    digest=$(cat "$file")
    rm "$file"
  fi
}

# record [DIGEST]: notes what was built or pushed last, for deploy.sh
record() {
  mkdir -p .deploy
  echo "$IMAGE ${1:-}" >.deploy/image
}

# find_node: makes `loader` the command that puts an archive on the nodes of the context's cluster
find_node() {
  local context profile
  need_cluster
  context=$(kubectl config current-context)
  profile=$(kubectl get nodes -o jsonpath='{.items[0].metadata.labels.minikube\.k8s\.io/name}' 2>/dev/null) || profile=
  if [ -n "$profile" ]; then
    loader=(minikube --profile "$profile" image load)
  elif [[ $context == kind-* ]]; then
    loader=(kind load image-archive --name "${context#kind-}")
  else
    die "Set REGISTRY, so that the cluster can pull the image: the context is neither kind nor minikube."
  fi
  has "${loader[0]}" || die "${loader[0]}, which puts the image on the cluster of the context $context, is missing: install it, or set REGISTRY."
}

# load: puts the image on the nodes
load() {
  archive=$(mktemp -d) # not local: the trap outlives this function
  trap 'rm -rf "$archive"' EXIT
  case $tool in
  buildah) buildah push "$IMAGE" "docker-archive:$archive/image.tar:$IMAGE" ;;
  *) "$tool" save --output "$archive/image.tar" "$IMAGE" ;;
  esac
  "${loader[@]}" "$archive/image.tar"
}

if [[ " $* " == *" push "* && $IMAGE =~ ^(dev|kind)\.local/ ]]; then
  find_node # before the build, which takes longer
fi
for step in "$@"; do "$step"; done
echo "$IMAGE"
