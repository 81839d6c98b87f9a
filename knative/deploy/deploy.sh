#!/usr/bin/env bash
# Deploys MongoDB and the service, and waits until it answers. Can be repeated. Where nothing was built
# and neither IMAGE nor REGISTRY is set, it deploys the published image of this version.
#   VARIANTS     knative, hpa or "knative hpa"; without, those that the cluster can run
#   COMPONENTS   opt-in components, such as "knative/hpa-class mongo/local-volume"
#   WAIT         the seconds to wait for each part, instead of 120 to 600
#   ALLOW_OPEN   true: also if callers need a token or key now, and would no longer need one
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/lib.sh"

: "${VARIANTS:=}" "${COMPONENTS:=}"
read -r VARIANTS <<<"${VARIANTS//[[:space:]]/ }"
read -r COMPONENTS <<<"${COMPONENTS//[[:space:]]/ }"

remedy="push it with npm run image" # if the image can't be pulled

# wants VARIANT: whether it is one of VARIANTS
wants() { [[ " $VARIANTS " == *" $1 "* ]]; }

# built: adds the digest to IMAGE, if image.sh pushed it from here
built() {
  local name='' digest=''
  [ ! -e .deploy/image ] || read -r name digest <.deploy/image
  [ "$name" = "$IMAGE" ] && [ -n "$digest" ] || return 0
  IMAGE=$IMAGE@$digest
  [ -z "$named" ] || echo "It was pushed from here: $IMAGE is deployed."
}

# published: makes IMAGE the one that the release workflow pushed for this version
published() {
  local owner version
  owner=$(git remote get-url origin 2>/dev/null |
    sed -nE 's#^([a-z]+://)?([^/@]+@)?(ssh\.)?github\.com(:[0-9]+/|[:/])([^/]+)/.*#\5#p' | tr '[:upper:]' '[:lower:]') || true
  [ -n "$owner" ] ||
    die "No image was built in this folder, and it is not a clone from GitHub, so there is no published image to use. Run npm run image, or set IMAGE."
  version=$(node -p 'require("./package.json").version')
  IMAGE=ghcr.io/$owner/functions-on-knative:$version
  remedy="see whether the release is out and its package public"
  echo "No image was built here: the published one is deployed, $IMAGE."
  git tag --points-at HEAD | grep -qxF "v$version" ||
    echo "This commit is not the release v$version: if its image lacks what these manifests need, check out v$version, or run npm run image."
}

for variant in $VARIANTS; do
  [[ $variant =~ ^(knative|hpa)$ ]] || die "VARIANTS: \"$variant\" is unknown. Use knative, hpa or both."
done
for component in $COMPONENTS; do
  { [[ $component != */ ]] && grep -q '^kind: Component$' "$component/kustomization.yaml" 2>/dev/null; } ||
    die "COMPONENTS: \"$component\" is unknown. Choose from: $(grep -l '^kind: Component$' ./*/*/kustomization.yaml ./*/*/*/kustomization.yaml | sed 's|^./||; s|/kustomization.yaml$||' | xargs)."
done
[[ " $COMPONENTS " != *" knative/replica-set "* || " $COMPONENTS " != *" mongo/tls "* ]] ||
  die "COMPONENTS can't have both knative/replica-set and mongo/tls: the replica set has TLS of its own."
[[ ${WAIT:-0} =~ ^[0-9]+$ ]] || die "WAIT can't be \"$WAIT\": it is a number of seconds."
if [ -n "$named" ] || [ -e .deploy/image ]; then
  built
else
  published
fi
need_image
need_cluster

# whether the database is the replica set of Percona's operator, instead of the single server
if [[ " $COMPONENTS " == *" knative/replica-set "* ]]; then
  replica_set=true
  serves psmdb.percona.com/v1 ||
    die "Percona's operator for MongoDB is not installed on this cluster: install it (docs/replica-set.md), or deploy without knative/replica-set."
else
  replica_set=false
fi
if serves serving.knative.dev/v1; then
  : "${VARIANTS:=knative hpa}"
elif wants knative; then
  die "Knative Serving is not installed on this cluster: install it (https://knative.dev/docs/install), or deploy with VARIANTS=hpa."
elif [ -z "$VARIANTS" ]; then
  VARIANTS=hpa
  echo "The Knative Service is left out: Knative Serving is not installed on this cluster (https://knative.dev/docs/install)."
fi
[[ $COMPONENTS != *knative/hpa-class* ]] || wants knative ||
  die "COMPONENTS can't have what changes the Knative Service, as that is not deployed: $COMPONENTS."
# the variant hpa and the component knative/hpa-class
if [[ "$VARIANTS $COMPONENTS" == *hpa* ]] && ! kubectl get --raw /apis/metrics.k8s.io/v1beta1 >/dev/null 2>&1; then
  echo "metrics-server does not run on this cluster: the HPA is deployed, but it keeps 2 replicas under any load until metrics-server is installed (https://github.com/kubernetes-sigs/metrics-server; on minikube: minikube addons enable metrics-server)."
fi

kubectl get namespace "$NAMESPACE" >/dev/null 2>&1 || kubectl create --filename - <<END ||
apiVersion: v1
kind: Namespace
metadata: {name: "$NAMESPACE", labels: {app.kubernetes.io/part-of: functions-on-knative}}
END
  die "You may not create the namespace $NAMESPACE: ask for it to be created, or set NAMESPACE to one that is yours."
resources="secrets statefulsets.apps"
! $replica_set || resources=perconaservermongodbs.psmdb.percona.com
! wants knative || resources+=" services.serving.knative.dev"
! wants hpa || resources+=" deployments.apps horizontalpodautoscalers.autoscaling"
[[ $COMPONENTS != *knative/monitoring* ]] || resources+=" roles.rbac.authorization.k8s.io"
for resource in $resources; do
  k auth can-i create "$resource" >/dev/null ||
    die "You may not create $resource in the namespace $NAMESPACE: ask for a role that may, such as admin."
done

# last_name IMAGE: the last part of its name, without tag and digest
last_name() {
  local name=${1##*/}
  name=${name%@*}
  echo "${name%:*}"
}

# unpulled: the first image that can't be pulled
unpulled() {
  {
    k get pods -o jsonpath='{range .items[*].status.containerStatuses[*]}{.state.waiting.reason} {.image}{"\n"}{end}' |
      sed -nE 's/^(ImagePullBackOff|InvalidImageName|ErrImageNeverPull) //p'
    ! wants knative ||
      k get services.serving.knative.dev functions -o jsonpath='{.status.conditions[?(@.status=="False")].message}' |
      sed -nE 's/^Unable to fetch image "([^"]*)".*/\1/p'
  } 2>/dev/null | sed -n 1p
}

# trouble: why waiting is of no use, if it is
trouble() {
  local image advice="see whether the cluster reaches its registry"
  image=$(unpulled)
  [ -n "$image" ] || return 0
  [ "$(last_name "$image")" != "$(last_name "$IMAGE")" ] || advice=$remedy
  echo "The image $image can't be pulled: $advice."
}

unschedulable() {
  k get pods -o jsonpath='{range .items[*].status.conditions[?(@.reason=="Unschedulable")]}{.message}{"\n"}{end}' |
    sed -nE '1s/([^.]*).*/\1. /p'
}

# await WHAT SECONDS COMMAND...: until it succeeds
await() {
  local what=$1 limit=${WAIT:-$2} begin=$SECONDS reason
  shift 2
  printf 'waiting for %s ' "$what"
  until "$@" >/dev/null 2>&1; do
    reason=$(trouble) || true # what can't be asked now is asked again
    [ -z "$reason" ] || die $'\n'"$reason"
    ((SECONDS - begin < limit)) ||
      die $'\n'"$what did not come up in $limit s: $(unschedulable)kubectl -n $NAMESPACE get pods,events shows more."
    printf .
    sleep 1
  done
  echo " $((SECONDS - begin)) s"
}

# image_parts: $IMAGE as Kustomize wants it
image_parts() {
  case ${IMAGE##*/} in
  *@*) echo "newName: '${IMAGE%@*}', digest: '${IMAGE#*@}'" ;;
  *:*) echo "newName: '${IMAGE%:*}', newTag: '${IMAGE##*:}'" ;;
  *) echo "newName: '$IMAGE', newTag: latest" ;;
  esac
}

settled() { [ "$(k get services.serving.knative.dev functions -o jsonpath='{.metadata.generation} {.status.conditions[?(@.type=="Ready")].status}')" = "$(
  k get services.serving.knative.dev functions -o jsonpath='{.status.observedGeneration}'
) True" ]; }
# the operator makes the user, and then the Secret with its URI, when all members are up
connectable() { k get secret mongo-rs-custom-user-secret-conn-str; }
scaled() { (($(k get deployment functions-hpa -o jsonpath='{.status.readyReplicas}') >= 2)); }

database=mongo
! $replica_set || database=mongo/replica-set
$replica_set || mongo/secrets.sh --namespace "$NAMESPACE"
[[ $COMPONENTS != *mongo/tls* ]] || NAMESPACE=$NAMESPACE mongo/tls/certificate.sh

mkdir -p .deploy
{
  echo "namespace: '$NAMESPACE'"
  echo "resources:"
  echo "  - ../$database"
  ! wants knative || echo "  - ../knative/service"
  ! wants hpa || echo "  - ../knative/hpa"
  echo "components: [$(for component in $COMPONENTS; do echo "'../$component',"; done)]"
  echo "images: [{name: functions-on-knative, $(image_parts)}]"
} >.deploy/kustomization.yaml
variants=()
! wants knative || variants+=(services.serving.knative.dev/functions)
! wants hpa || variants+=(deployments.apps/functions-hpa)
before=$(k get "${variants[@]}" --ignore-not-found -o yaml)
if [[ $before == *"name: AUTH_"* && ${ALLOW_OPEN:-} != true ]]; then
  after=$(kubectl kustomize .deploy)
  [[ $after == *"name: AUTH_"* ]] ||
    die "Callers need a token or a key now, and would no longer need one: add knative/auth or knative/api-keys to COMPONENTS, or set ALLOW_OPEN=true."
fi
k apply --kustomize .deploy

if $replica_set; then
  await "the replica set" 600 connectable
else
  await MongoDB 300 k rollout status statefulset mongo --timeout 1s
  NAMESPACE=$NAMESPACE mongo/users.sh
fi
! wants knative || await "the Knative Service" 180 settled
if wants hpa; then
  await "the Deployment" 180 k rollout status deployment functions-hpa --timeout 1s
  await "its second replica" 120 scaled
fi

# requests URL [OPTION]: what to try
requests() {
  local curl="curl ${2:+$2 }"
  cat <<END

  $curl$1/time
  $curl-X POST -H 'Content-Type: application/json' -d '{"test":"persistence"}' $1/data
  $curl$1/data
END
}

if wants knative; then
  host=$(route_host functions)
  # without an address, the lines can be used once the variable is set
  ingress=$(ingress_url) || ingress="\$INGRESS_URL"
  if has kn; then kn service describe functions --namespace "$NAMESPACE" || true; fi
  printf '\nThe Knative Service is http://%s:\n' "$host"
  requests "$ingress" "-H 'Host: $host'"
fi
if wants hpa; then
  nodeport=$(nodeport_url) || nodeport="\$NODEPORT_URL"
  printf '\nThe Deployment:\n'
  requests "$nodeport"
fi
! wants knative || ! wants hpa || printf '\nBoth keep the same documents.\n'
