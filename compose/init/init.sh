#!/bin/sh
# Makes the stack's secrets, once: a random one for each user of each server, in the volumes of those who need it and of
# nobody else. What the folder compose/secrets holds is taken instead (files named as below), and taken again when it changes;
# nothing that exists is ever replaced by something random.
#   nats-worker nats-scheduler nats-router        passwords of NATS
#   rabbitmq-scheduler rabbitmq-router            passwords of RabbitMQ
#   rabbitmq-cookie                               what Erlang's own tools show to the broker
#   postgres-writer postgres-reader               passwords of PostgreSQL
#   grafana-admin                                 password of Grafana's user admin
set -eu
umask 077
supplied=/supplied
kept=/secrets/init

# secret NAME: prints it; the first time it is made up.
secret() {
    if [ -s "$supplied/$1" ]; then
        tr -d '\r\n' <"$supplied/$1" >"$kept/$1.new"
    elif [ ! -s "$kept/$1" ]; then
        od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n' >"$kept/$1.new"
    fi
    [ ! -e "$kept/$1.new" ] || mv "$kept/$1.new" "$kept/$1"
    cat "$kept/$1"
}

# put FOLDER/FILE: keeps what comes in, whole, for the user of the container that mounts the folder alone.
put() {
    cat >"/secrets/$1.new"
    chmod 0444 "/secrets/$1.new"
    mv "/secrets/$1.new" "/secrets/$1"
}

text() { printf '%s' "$1"; }

nats_worker=$(secret nats-worker)
nats_scheduler=$(secret nats-scheduler)
nats_router=$(secret nats-router)
rabbitmq_scheduler=$(secret rabbitmq-scheduler)
rabbitmq_router=$(secret rabbitmq-router)
rabbitmq_cookie=$(secret rabbitmq-cookie)
postgres_writer=$(secret postgres-writer)
postgres_reader=$(secret postgres-reader)
grafana_admin=$(secret grafana-admin)

# They are written into files of other formats: what would have to be escaped there is refused.
for name in nats-worker nats-scheduler nats-router rabbitmq-scheduler rabbitmq-router rabbitmq-cookie postgres-writer postgres-reader grafana-admin; do
    case $(cat "$kept/$name") in
        *[!A-Za-z0-9_.~-]* | '')
            echo "init: the secret '$name' may hold letters, digits and _ . ~ - only" >&2
            exit 1
            ;;
    esac
done

put nats/passwords.conf <<CONF
NATS_WORKER: "$nats_worker"
NATS_SCHEDULER: "$nats_scheduler"
NATS_ROUTER: "$nats_router"
CONF

# Rights over exchanges and queues by name (docs/bus.md): routers say events and commands and hear answers to them, the
# scheduler consumes. Regular expressions, as JSON writes them.
scheduler_may='^parallax\\.((audit|commands|command-status)(\\.entry|_error|_skipped)?|reply\\..*)$'
router_may='^parallax\\.((audit|commands|command-status)\\.entry|reply\\..*)$'
router_hears='^parallax\\.reply\\..*$'
put rabbitmq/definitions.json <<JSON
{
  "vhosts": [ { "name": "parallax" } ],
  "users": [
    { "name": "scheduler", "password": "$rabbitmq_scheduler", "tags": "" },
    { "name": "router", "password": "$rabbitmq_router", "tags": "" }
  ],
  "permissions": [
    { "user": "scheduler", "vhost": "parallax", "configure": "$scheduler_may", "write": "$scheduler_may", "read": "$scheduler_may" },
    { "user": "router", "vhost": "parallax", "configure": "$router_may", "write": "$router_may", "read": "$router_hears" }
  ]
}
JSON
text "$rabbitmq_cookie" | put rabbitmq/cookie

text "$postgres_writer" | put postgres/writer-password
text "$postgres_reader" | put postgres/reader-password

text "$grafana_admin" | put grafana/admin-password

text "$nats_worker" | put worker/nats-password
text "$nats_router" | put router/nats-password
text "$rabbitmq_router" | put router/rabbitmq-password
text "$postgres_reader" | put router/postgres-password
text "$nats_scheduler" | put scheduler/nats-password
text "$rabbitmq_scheduler" | put scheduler/rabbitmq-password
text "$postgres_writer" | put scheduler/postgres-password

# Where the founder puts tokens for those who join.
for role in worker router scheduler kvcache; do
    if [ ! -d "/secrets/$role/tokens" ]; then
        mkdir -m 0700 "/secrets/$role/tokens"
        chown "$PARALLAX_UID:$PARALLAX_UID" "/secrets/$role/tokens"
    fi
done
echo "secrets are in place"
