#!/bin/sh
# Writes the secrets that compose.yaml and kubernetes.yaml want into a folder; what is there stays.
# Each is a file of its own, because what is in a container's environment is easily shown to others.
set -eu
folder="${1:-$(dirname "$0")/secrets}"
umask 077
mkdir -p "$folder"
word() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { # NAME CONTENT
  [ -e "$folder/$1" ] || printf '%s' "$2" > "$folder/$1"
  # The containers read them as their own users; the folder is closed to everybody else here.
  chmod 0444 "$folder/$1"
}
keep postgres-password "$(word)"
keep rabbitmq-password "$(word)"
keep secret-key "$(word)$(word)"
keep metrics-token "$(word)"
keep s3-key rekindle
keep s3-secret "$(word)"
keep database-url "postgres://rekindle:$(cat "$folder/postgres-password")@postgres:5432/rekindle"
keep broker-url "amqp://rekindle:$(cat "$folder/rabbitmq-password")@rabbitmq:5672//"
keep mail-url console://
# A generative job may hold its message for hours.
keep rabbitmq.conf "default_user = rekindle
default_pass = $(cat "$folder/rabbitmq-password")
consumer_timeout = 21600000"
