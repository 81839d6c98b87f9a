#!/usr/bin/env bash
# Makes the Secrets mongo-root and mongo-app in the current context's namespace, once: one that is
# there stays as it is. Passwords are random, and pass from here to the cluster by a pipe only.
# Arguments are passed on to kubectl: mongo/secrets.sh --namespace shop
set -euo pipefail

# exists KIND NAME KUBECTL-OPTION...; ends the script if that can't be found out
exists() {
  local found
  found=$(kubectl get "$1" "$2" --ignore-not-found --output name "${@:3}") || exit
  [ -n "$found" ]
}

if exists persistentvolumeclaim data-mongo-0 "$@" && ! exists secret mongo-root "$@"; then
  echo "The claim data-mongo-0 has data, but the Secret mongo-root, which opens it, is gone: put it back, or delete the claim." >&2
  exit 1
fi

for user in root app; do
  ! exists secret "mongo-$user" "$@" || continue
  password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  kubectl create --filename - "$@" <<END
apiVersion: v1
kind: Secret
metadata: {name: mongo-$user, labels: {app.kubernetes.io/part-of: functions-on-knative}}
stringData: {username: $user, password: "$password"}
END
done
