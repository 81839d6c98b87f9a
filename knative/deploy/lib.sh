# What the scripts share; sourced, not run.
# shellcheck shell=bash
#   IMAGE       the image's full name; otherwise it is made of
#   REGISTRY    where it is pushed (dev.local, which means: nowhere, the cluster has it already)
#   NAMESPACE   functions
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

: "${NAMESPACE:=functions}" "${REGISTRY:=}"
: "${IMAGE:=${REGISTRY:-dev.local}/functions-on-knative:$(git describe --always --dirty 2>/dev/null || echo latest)}"

die() {
  echo "$*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null; }

k() { kubectl --namespace "$NAMESPACE" "$@"; }

# Ends with one sentence unless there is a cluster that answers.
need_cluster() {
  has kubectl || die "kubectl is missing: install it, and point its current context at a cluster."
  local context
  context=$(kubectl config current-context 2>/dev/null) ||
    die "There is no current kubectl context: choose one with kubectl config use-context."
  kubectl version --request-timeout 10s >/dev/null 2>&1 ||
    die "The cluster of the context $context does not answer: start it, or choose another context."
}

# The addresses by which the two variants are reached from here, as URLs. INGRESS_URL and
# NODEPORT_URL take the place of what would be found.
ingress_url() {
  local name address
  [ -z "${INGRESS_URL:-}" ] || { echo "$INGRESS_URL" && return; }
  for name in kourier-system/kourier istio-system/istio-ingressgateway contour-external/envoy; do
    address=$(service_address "${name%/*}" "${name#*/}") && echo "http://$address" && return
  done
  die "No ingress of Knative was found: set INGRESS_URL to its address, such as http://127.0.0.1:8080."
}
nodeport_url() {
  [ -z "${NODEPORT_URL:-}" ] || { echo "$NODEPORT_URL" && return; }
  echo "http://$(service_address "$NAMESPACE" functions-hpa)"
}
route_host() { k get services.serving.knative.dev functions -o jsonpath='{.status.url}{"\n"}' | sed 's|^https\?://||'; }

# service_address NAMESPACE NAME: by its load balancer, else by a node's address and the node port
service_address() {
  local get=(kubectl --namespace "$1" get service "$2" -o) address
  address=$("${get[@]}" jsonpath='{.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}' 2>/dev/null) || return
  [ -z "$address" ] || { echo "$address" && return; }
  echo "$(kubectl get nodes -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}'):$(
    "${get[@]}" jsonpath='{.spec.ports[?(@.port==80)].nodePort}'
  )"
}

# roll_out SUBJECT: replaces the pods of one variant (knative, hpa), until none of the old is left
roll_out() {
  local selector old
  case $1 in
  knative) selector=serving.knative.dev/service=functions ;;
  hpa) selector=app.kubernetes.io/name=functions-hpa ;;
  esac
  old=$(k get pods --selector "$selector" --output name)
  case $1 in
  knative)
    k patch services.serving.knative.dev functions --type merge --patch \
      "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\"$(date -u +%FT%TZ)\"}}}}}" >/dev/null
    ;;
  hpa) k rollout restart deployment functions-hpa >/dev/null ;;
  esac
  # shellcheck disable=SC2086
  k wait --for delete --timeout 300s $old >/dev/null
}

# mongosh SCRIPT: runs it as root in the database's pod, where `admin` is the database of that name;
# neither password nor script is among its arguments
mongosh() {
  in_mongosh "const admin = connect(asRoot);
$1"
}

# in_mongosh SCRIPT: runs it there without a connection; `root` tells the keys of the Secret, `asRoot`
# is a URI
in_mongosh() {
  k exec --stdin mongo-0 -- bash -c '
    export HOME=/tmp && umask 077 && cat >/tmp/script.js
    trap "rm -f /tmp/script.js" EXIT
    mongosh --quiet --norc --nodb --file /tmp/script.js' <<END
const root = (key) =>
  require('node:fs').readFileSync('/run/secrets/root/' + key, 'utf8').replace(/\\n+\$/, '');
const asRoot = 'mongodb://' + ['username', 'password'].map(root).map(encodeURIComponent).join(':') + '@127.0.0.1/admin';
$1
END
}
