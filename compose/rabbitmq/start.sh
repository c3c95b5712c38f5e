#!/bin/sh
# Starts the broker with the cookie of the secrets' volume, as the user that owns its data. A node's name is its data's: it
# must not change with the container's host name.
set -eu
export RABBITMQ_NODENAME=rabbit@localhost
export RABBITMQ_CONFIG_FILE=/etc/parallax/rabbitmq.conf
export RABBITMQ_ENABLED_PLUGINS_FILE=/etc/parallax/enabled_plugins
export RABBITMQ_MNESIA_BASE=/var/lib/rabbitmq/mnesia
export RABBITMQ_LOGS=- RABBITMQ_LOG_BASE=/tmp ERL_CRASH_DUMP_SECONDS=0
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none'
export ERL_EPMD_ADDRESS=127.0.0.1
export HOME=/var/lib/rabbitmq LANG=C.UTF-8

umask 077
cp /run/secrets/cookie "$HOME/.erlang.cookie.new"
chmod 600 "$HOME/.erlang.cookie.new"
mv -f "$HOME/.erlang.cookie.new" "$HOME/.erlang.cookie"
# Debian's wrapper sends the log to a file; the program behind it does not.
server=/usr/lib/rabbitmq/bin/rabbitmq-server
[ -x "$server" ] || server=rabbitmq-server
exec "$server"
