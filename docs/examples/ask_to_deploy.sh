#!/bin/sh
# Ask Plumbline if an artefact may be deployed: ask_to_deploy.sh STAGE VERSION DIGEST
# Needs curl and jq, PLUMBLINE (the address) and PLUMBLINE_KEY (a key for deployments). Writes attestation.json. The exit
# code is 0 only for a yes.
set -eu
send() { curl --silent --show-error --fail-with-body --max-time 30 -H "Authorization: Bearer $PLUMBLINE_KEY" "$@"; }
answer=$(jq -n --arg stage "$1" --arg version "$2" --arg digest "$3" '{
  subject: {type: "pipeline", id: "release"},
  action: {name: "deploy", properties: {stage: $stage, version: $version}},
  resource: {type: "artefact", id: $digest}}' |
  send -H "Content-Type: application/json" --data @- "$PLUMBLINE/access/v1/evaluation")
printf '%s' "$answer" | jq -r '.context.reason'
attestation=$(printf '%s' "$answer" | jq -r '.context.attestation // empty')
if [ -n "$attestation" ]; then send -o attestation.json "$PLUMBLINE$attestation"; fi
printf '%s' "$answer" | jq -e '.decision == true' > /dev/null
