#!/usr/bin/env bash
# Removes what deploy.sh made, whichever variants that were, but not the data, the Secrets that open it
# and the namespace; with --all those too: the namespace if deploy.sh made it.
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/lib.sh"

[[ $# -eq 0 || $* == --all ]] || die "usage: npm run undeploy [-- --all]"
need_cluster
kinds=statefulset,deployment,horizontalpodautoscaler,poddisruptionbudget,cronjob,job,service,networkpolicy,configmap,serviceaccount,role,rolebinding
if serves psmdb.percona.com/v1; then kinds=perconaservermongodbs.psmdb.percona.com,$kinds; fi
if serves serving.knative.dev/v1; then kinds=services.serving.knative.dev,$kinds; fi
k delete "$kinds" --selector app.kubernetes.io/part-of=functions-on-knative --ignore-not-found
if [ $# -eq 0 ]; then
  echo "The data, the Secrets and the namespace $NAMESPACE are kept; npm run undeploy -- --all removes them."
else
  k delete persistentvolumeclaim/data-mongo-0 persistentvolumeclaim/mongo-backup secret/mongo-root secret/mongo-app secret/mongo-tls --ignore-not-found
  # the replica set's: the claims have the operator's labels, the Secrets that open them have none
  k delete persistentvolumeclaim --selector app.kubernetes.io/instance=mongo-rs --ignore-not-found
  k delete secret/mongo-rs-secrets secret/internal-mongo-rs-users secret/mongo-rs-custom-user-secret secret/mongo-rs-mongodb-encryption-key --ignore-not-found
  kubectl delete namespace --selector app.kubernetes.io/part-of=functions-on-knative \
    --field-selector "metadata.name=$NAMESPACE" --ignore-not-found
fi
