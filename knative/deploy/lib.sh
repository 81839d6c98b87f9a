# What the scripts share; sourced, not run.
# shellcheck shell=bash
#   IMAGE       the image's full name; otherwise it is made of
#   REGISTRY    where it is pushed (dev.local, which means: nowhere, the cluster has it already)
#   named       not empty where one of them is set
#   NAMESPACE   functions
# Bash ignores `set -e` in a function that is called in a condition or in $(…), so functions return
# their failures themselves.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() {
  echo "$*" >&2
  exit 1
}

: "${NAMESPACE:=functions}" "${REGISTRY:=}"
[[ $NAMESPACE =~ ^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$ ]] ||
  die "NAMESPACE can't be \"$NAMESPACE\": a name has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its ends."

# shellcheck disable=SC2034 # deploy.sh asks
named=${IMAGE:-$REGISTRY}
if [ -z "${IMAGE:-}" ]; then
  # not "latest", which Kubernetes would try to pull although the node has it
  tag=$(git describe --always --dirty 2>/dev/null) || tag=local
  IMAGE=${REGISTRY:-dev.local}/functions-on-knative:${tag//[!A-Za-z0-9_.-]/-}
fi

has() { command -v "$1" >/dev/null; }

k() { kubectl --namespace "$NAMESPACE" "$@"; }

# Ends with one sentence if $IMAGE is no name of an image.
need_image() {
  local host='([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?' name='[a-z0-9]+([._-]+[a-z0-9]+)*'
  local tag='[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}' digest='sha256:[0-9a-f]{64}'
  [[ $IMAGE =~ ^($host/)?$name(/$name)*(:$tag)?(@$digest)?$ ]] ||
    die "\"$IMAGE\" is not the name of an image, such as registry.example:5000/team/functions-on-knative:1.0. It comes from IMAGE, or from REGISTRY."
}

# Ends with one sentence unless there is a cluster that answers.
need_cluster() {
  has kubectl || die "kubectl is missing: install it, and point its current context at a cluster."
  local context error
  context=$(kubectl config current-context 2>/dev/null) ||
    die "There is no current kubectl context: choose one with kubectl config use-context."
  error=$(kubectl version --request-timeout 10s 2>&1 >/dev/null) ||
    die "The cluster of the context $context does not answer: start it, or choose another context."$'\n'"$error"
}

# serves GROUP/VERSION: whether the cluster has this API. Ends the script if that can't be found out.
serves() {
  local error
  error=$(kubectl get --raw "/apis/$1" 2>&1 >/dev/null) && return
  [[ $error == *NotFound* ]] ||
    die "Can't find out whether the cluster has the API $1: $error"
  return 1
}

# deployed VARIANT: whether this variant (knative, hpa) is in the namespace. Ends the script if that
# can't be found out.
deployed() {
  local object
  case $1 in
  knative) serves serving.knative.dev/v1 && object=services.serving.knative.dev/functions || return ;;
  hpa) object=deployment/functions-hpa ;;
  esac
  object=$(k get "$object" --ignore-not-found --output name) ||
    die "Can't find out whether the variant $1 is deployed."
  [ -n "$object" ]
}

# The addresses by which the two variants are reached from here, as URLs. INGRESS_URL and
# NODEPORT_URL take the place of what would be found.
ingress_url() {
  local name address
  [ -z "${INGRESS_URL:-}" ] || { echo "$INGRESS_URL" && return; }
  for name in kourier-system/kourier istio-system/istio-ingressgateway contour-external/envoy; do
    address=$(service_address "${name%/*}" "${name#*/}") && echo "http://$address" && return
  done
  die "No address of Knative's ingress was found: set INGRESS_URL to it, such as http://127.0.0.1:8080 with kubectl --namespace kourier-system port-forward service/kourier 8080:80."
}
nodeport_url() {
  local address
  [ -z "${NODEPORT_URL:-}" ] || { echo "$NODEPORT_URL" && return; }
  address=$(service_address "$NAMESPACE" functions-hpa) ||
    die "No address of the Deployment was found: set NODEPORT_URL to it, such as http://127.0.0.1:8081 with kubectl --namespace $NAMESPACE port-forward service/functions-hpa 8081:80."
  echo "http://$address"
}
# route_host NAME: the host of a Knative Service
route_host() { k get services.serving.knative.dev "$1" -o jsonpath='{.status.url}{"\n"}' | sed 's|^https\{0,1\}://||'; }

# service_address NAMESPACE NAME: by its load balancer, else by a node's address and the node port
service_address() {
  local get=(kubectl --namespace "$1" get service "$2" -o) address port=
  address=$("${get[@]}" jsonpath='{.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}' 2>/dev/null) || return
  if [ -z "$address" ]; then
    port=$("${get[@]}" jsonpath='{.spec.ports[?(@.port==80)].nodePort}') || return
    address=$(kubectl get nodes -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}') || return
    [ -n "$address" ] && [ -n "$port" ] || return
  fi
  address=${address%% *} # a node can have an address of each IP family
  [[ $address != *:* ]] || address="[$address]"
  echo "$address${port:+:$port}"
}

# roll_out VARIANT: replaces the pods of one variant (knative, hpa), until none of the old is left; does
# nothing if it is not deployed
roll_out() {
  local selector old
  deployed "$1" || return 0
  case $1 in
  knative) selector=serving.knative.dev/service=functions ;;
  hpa) selector=app.kubernetes.io/name=functions-hpa ;;
  esac
  old=$(k get pods --selector "$selector" --output name) || return
  case $1 in
  knative)
    k patch services.serving.knative.dev functions --type merge --patch \
      "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\"$(date -u +%FT%TZ)\"}}}}}" >/dev/null || return
    ;;
  hpa) k rollout restart deployment functions-hpa >/dev/null || return ;;
  esac
  # shellcheck disable=SC2086 # one name a word
  [ -z "$old" ] || k wait --for delete --timeout 300s $old >/dev/null || return
  echo "rolled out the variant $1"
}

# mongosh SCRIPT: runs it as root in the database's pod, where `admin` is the database of that name;
# neither password nor script is among its arguments
mongosh() {
  in_mongosh "const admin = connect(asRoot);
$1"
}

# in_mongosh SCRIPT: runs it there without a connection; `root` tells the keys of the Secret, `asRoot`
# is a URI, `tls` its options for TLS
in_mongosh() {
  k exec --stdin mongo-0 -- bash -ec '
    export HOME=/tmp
    umask 077
    trap "rm -f /tmp/script.js" EXIT
    cat >/tmp/script.js
    mongosh --quiet --norc --nodb --file /tmp/script.js' <<END
const root = (key) =>
  require('node:fs').readFileSync('/run/secrets/root/' + key, 'utf8').replace(/\\n+\$/, '');
const { MONGO_TLS_CA_FILE } = process.env;
const tls = MONGO_TLS_CA_FILE ? '?tls=true&tlsCAFile=' + MONGO_TLS_CA_FILE : '';
const asRoot = 'mongodb://' + ['username', 'password'].map(root).map(encodeURIComponent).join(':') + '@127.0.0.1/admin' + tls;
$1
END
}
