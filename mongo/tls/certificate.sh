#!/usr/bin/env bash
# Makes the Secret mongo-tls, once: MongoDB's key, and its certificate, which is signed with that key itself,
# so that clients trust this server and no other. One that is there stays as it is.
# shellcheck source=knative/deploy/lib.sh
. "$(dirname "$0")/../../knative/deploy/lib.sh"

need_cluster
found=$(k get secret mongo-tls --ignore-not-found --output name)
[ -z "$found" ] || exit 0
has openssl || die "openssl is missing: install it, or make the Secret mongo-tls yourself, as docs/operations.md says."

names=IP:127.0.0.1
for host in mongo-service mongo-0.mongo; do
  for domain in "" ".$NAMESPACE" ".$NAMESPACE.svc" ".$NAMESPACE.svc.cluster.local"; do
    names+=,DNS:$host$domain
  done
done
key=$(openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)
certificate=$(openssl req -x509 -new -key /dev/stdin -days 3650 -subj /CN=mongo-service \
  -addext "subjectAltName=$names" <<<"$key")

indent() { while read -r line; do echo "    $line"; done <<<"$1"; }

# by a pipe: what is among the arguments is seen by everybody on this machine
k create --filename - <<END
apiVersion: v1
kind: Secret
metadata: {name: mongo-tls, labels: {app.kubernetes.io/part-of: functions-on-knative}}
stringData:
  ca.crt: |
$(indent "$certificate")
  tls-combined.pem: |
$(indent "$key")
$(indent "$certificate")
END
