#!/usr/bin/env bash
# docker compose for the whole platform in containers: compose.sh up --build --wait
# Makes the servers' passwords the first time; everything after the name goes to docker compose.
set -euo pipefail
cd "$(dirname "$0")/.."
export CITYOPS_SECRETS="${CITYOPS_SECRETS:-$PWD/.cityops/secrets}"
export CITYOPS_USER="${CITYOPS_USER:-$(id -u):$(id -g)}"
export COMPOSE_PROFILES=platform
install -d -m 0700 "$CITYOPS_SECRETS"
if [ ! -s "$CITYOPS_SECRETS/postgres" ]; then
    (umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$CITYOPS_SECRETS/postgres")
fi
# the broker's settings come from the same code as those of our own broker, in our own image
if [[ " $* " == *" up "* ]]; then
    docker build --quiet --file deploy/Dockerfile --tag cityops:local . >/dev/null
    docker run --rm --network none --user "$CITYOPS_USER" --volume "$CITYOPS_SECRETS:/secrets" \
        cityops:local python -m deploy kafka-settings /secrets --port "${CITYOPS_KAFKA_PORT:-9092}"
fi
exec docker compose --file deploy/compose.yaml "$@"
