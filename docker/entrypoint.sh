#!/bin/sh
# One image, one word: what this container is.
set -eu
cd /app
case "${1:-web}" in
  web)
    # Where several processes of this site add up what they count, if anybody may read it. In memory:
    # on a full volume the kernel would kill every process that counts a request.
    unset PROMETHEUS_MULTIPROC_DIR
    if [ -n "${REKINDLE_METRICS_TOKEN:-}${REKINDLE_METRICS_TOKEN_FILE:-}" ] \
      && [ "${WEB_PROCESSES:-2}" -gt 1 ]; then
      PROMETHEUS_MULTIPROC_DIR="$(mktemp -d -p /dev/shm)"
      export PROMETHEUS_MULTIPROC_DIR
    fi
    exec gunicorn config.wsgi:application --bind 0.0.0.0:8000 --worker-class gthread \
      --workers "${WEB_PROCESSES:-2}" --threads 8 --timeout 120 --no-control-socket \
      --worker-tmp-dir /dev/shm --logger-class config.logs.ServerLog ;;
  worker)
    kind="${2:-cpu}"
    pool="--pool prefork --concurrency ${CPU_JOBS:-1}"
    [ "$kind" = cpu ] || pool="--pool solo"
    # The words of $pool are meant to be split.
    # shellcheck disable=SC2086
    exec celery --quiet -A config worker --queues "$kind" --hostname "$kind@%h" $pool \
      --loglevel warning --without-gossip --without-mingle ;;
  sweeper) exec python manage.py sweep --every 5 ;;
  # A worker and the sweeper touch a file as long as they live: is this one's fresh?
  alive) test -n "$(find "$REKINDLE_VAR_DIR/$2-alive" -mmin -2)" ;;
  migrate) exec python manage.py migrate --no-input ;;
  *) exec "$@" ;;
esac
