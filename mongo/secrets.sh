#!/usr/bin/env bash
# Makes the Secrets mongo-root and mongo-app in the current context's namespace, once: one that is
# there stays as it is. Passwords are random, and pass from here to the cluster by a pipe only.
# Arguments are passed on to kubectl: mongo/secrets.sh --namespace shop
set -euo pipefail

for user in root app; do
  kubectl get secret "mongo-$user" --output name "$@" >/dev/null 2>&1 && continue
  kubectl create --filename - "$@" <<END
apiVersion: v1
kind: Secret
metadata: {name: mongo-$user, labels: {app.kubernetes.io/part-of: functions-on-knative}}
stringData: {username: $user, password: $(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')}
END
done
