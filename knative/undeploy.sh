#!/usr/bin/env bash
# Removes what deploy.sh made, but not the data, the Secrets that open it and the namespace; with
# --all those too.
. "$(dirname "$0")/lib.sh"

need_cluster
kinds=statefulset,deployment,horizontalpodautoscaler,poddisruptionbudget,cronjob,job,service,networkpolicy,configmap
! kubectl get --raw /apis/serving.knative.dev/v1 >/dev/null 2>&1 || kinds=services.serving.knative.dev,$kinds
k delete "$kinds" --selector app.kubernetes.io/part-of=functions-on-knative --ignore-not-found
case ${1:-} in
'') echo "The data, the Secrets and the namespace $NAMESPACE are kept; npm run undeploy -- --all removes them." ;;
--all) kubectl delete namespace "$NAMESPACE" --ignore-not-found ;;
*) die "usage: npm run undeploy [-- --all]" ;;
esac
