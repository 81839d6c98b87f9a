#!/usr/bin/env bash
# Removes what deploy.sh made, whichever variants that were, but not the data, the Secrets that open it
# and the namespace; with --all those too: the namespace if deploy.sh made it.
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/lib.sh"

[[ $# -eq 0 || $* == --all ]] || die "usage: npm run undeploy [-- --all]"
need_cluster
kinds=statefulset,deployment,horizontalpodautoscaler,poddisruptionbudget,cronjob,job,service,networkpolicy,configmap,serviceaccount,role,rolebinding
if serves serving.knative.dev/v1; then kinds=services.serving.knative.dev,$kinds; fi
k delete "$kinds" --selector app.kubernetes.io/part-of=functions-on-knative --ignore-not-found
if [ $# -eq 0 ]; then
  echo "The data, the Secrets and the namespace $NAMESPACE are kept; npm run undeploy -- --all removes them."
else
  k delete persistentvolumeclaim/data-mongo-0 persistentvolumeclaim/mongo-backup secret/mongo-root secret/mongo-app secret/mongo-tls --ignore-not-found
  kubectl delete namespace --selector app.kubernetes.io/part-of=functions-on-knative \
    --field-selector "metadata.name=$NAMESPACE" --ignore-not-found
fi
