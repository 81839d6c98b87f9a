#!/usr/bin/env bash
# Deploys MongoDB and both variants of the service, and waits until they answer. Can be repeated.
#   COMPONENTS   opt-in components, such as "knative/hpa-class mongo/local-volume"
. "$(dirname "$0")/lib.sh"

need_cluster
kubectl get --raw /apis/serving.knative.dev/v1 >/dev/null 2>&1 ||
  die "Knative Serving is not installed on this cluster: see https://knative.dev/docs/install."
kubectl get namespace "$NAMESPACE" >/dev/null 2>&1 || kubectl create --filename - 2>/dev/null <<END ||
apiVersion: v1
kind: Namespace
metadata: {name: $NAMESPACE, labels: {app.kubernetes.io/part-of: functions-on-knative}}
END
  die "You may not create the namespace $NAMESPACE: have it made, or set NAMESPACE to one that is yours."
for resource in secrets statefulsets.apps deployments.apps services.serving.knative.dev; do
  k auth can-i create "$resource" >/dev/null 2>&1 ||
    die "You may not create $resource in the namespace $NAMESPACE: ask for a role that may, such as admin."
done

# trouble: why waiting is of no use, if it is
trouble() {
  {
    k get pods -o jsonpath='{range .items[*].status.containerStatuses[*]}{.state.waiting.reason} {.image}{"\n"}{end}' |
      sed -nE 's/^(ImagePullBackOff|InvalidImageName|ErrImageNeverPull) //p'
    k get services.serving.knative.dev functions -o jsonpath='{.status.conditions[?(@.status=="False")].message}' |
      sed -nE 's/^Unable to fetch image "([^"]*)".*/\1/p'
  } 2>/dev/null | sed -n '1s/.*/The image & can not be pulled: push it with npm run image./p'
}

unschedulable() {
  k get pods -o jsonpath='{range .items[*].status.conditions[?(@.reason=="Unschedulable")]}{.message}{"\n"}{end}' |
    sed -nE '1s/([^.]*).*/\1. /p'
}

# await WHAT SECONDS COMMAND...: until it succeeds
await() {
  local what=$1 limit=$2 begin=$SECONDS reason
  shift 2
  printf 'waiting for %s ' "$what"
  until "$@" >/dev/null 2>&1; do
    reason=$(trouble)
    [ -z "$reason" ] || die $'\n'"$reason"
    ((SECONDS - begin < limit)) ||
      die $'\n'"$what did not come up in $limit s: $(unschedulable)kubectl -n $NAMESPACE get pods,events tells more."
    printf .
    sleep 1
  done
  echo " $((SECONDS - begin)) s"
}

# image_parts: $IMAGE as Kustomize wants it
image_parts() {
  case ${IMAGE##*/} in
  *@*) echo "newName: ${IMAGE%@*}, digest: '${IMAGE#*@}'" ;;
  *:*) echo "newName: ${IMAGE%:*}, newTag: '${IMAGE##*:}'" ;;
  *) echo "newName: $IMAGE, newTag: latest" ;;
  esac
}

settled() { [ "$(k get services.serving.knative.dev functions -o jsonpath='{.metadata.generation} {.status.conditions[?(@.type=="Ready")].status}')" = "$(
  k get services.serving.knative.dev functions -o jsonpath='{.status.observedGeneration}'
) True" ]; }
scaled() { (($(k get deployment functions-hpa -o jsonpath='{.status.readyReplicas}') >= 2)); }

mongo/secrets.sh --namespace "$NAMESPACE"

mkdir -p .deploy
{
  echo "namespace: $NAMESPACE"
  echo "resources: [../mongo, ../knative/service, ../knative/hpa]"
  echo "components: [$(printf '../%s, ' ${COMPONENTS:-} | sed 's|^../, $||')]"
  echo "images: [{name: functions-on-knative, $(image_parts)}]"
} >.deploy/kustomization.yaml
k apply --kustomize .deploy

await MongoDB 300 k rollout status statefulset mongo --timeout 1s
NAMESPACE=$NAMESPACE mongo/users.sh
await "the Knative Service" 180 settled
await "the Deployment" 180 k rollout status deployment functions-hpa --timeout 1s
await "its second replica" 120 scaled

host=$(route_host) ingress=$(ingress_url) nodeport=$(nodeport_url)
! has kn || kn service describe functions --namespace "$NAMESPACE"
cat <<END

The Knative Service is http://$host, and both variants keep the same documents:

  curl -H 'Host: $host' $ingress/time
  curl -H 'Host: $host' -X POST -H 'Content-Type: application/json' -d '{"test":"persistence"}' $ingress/data
  curl -H 'Host: $host' $ingress/data
  curl $nodeport/data
END
