#!/bin/sh
# Starts PostgreSQL: makes the data folder at the first start, and at every start sees to the roles and their passwords, so
# that a replaced password holds after a restart.
#   parallax         owns nothing and logs in nowhere but here: the superuser, on the socket only
#   parallax_writer  owns the database: the schedulers, which append events and make the tables
#   parallax_reader  may read what the writer has made: the routers, for the audit's questions
set -eu
data=${PGDATA:-/var/lib/postgresql/data}/parallax
for folder in /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/postgres" ]; then PATH=$folder:$PATH; fi
done

umask 077
if [ ! -s "$data/PG_VERSION" ]; then
    rm -rf "$data.new" # of a first start that was cut off
    initdb --pgdata="$data.new" --username=parallax --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 --locale=C >/dev/null
    mv "$data.new" "$data"
fi

# The superuser's way in is this container's own user; everybody else comes over the network with a password.
cat >"$data/pg_hba.conf" <<'HBA'
local all      parallax                         peer map=parallax
host  parallax parallax_writer,parallax_reader  all  scram-sha-256
HBA
echo "parallax $(id -un) parallax" >"$data/pg_ident.conf"

pg_ctl --pgdata="$data" --silent --wait --options="-c listen_addresses='' -c unix_socket_directories=/tmp -c fsync=on" start
psql() { command psql -X -q -v ON_ERROR_STOP=1 -h /tmp -U parallax "$@"; }
psql -d postgres <<'SQL'
\set writer `cat /run/secrets/writer-password`
\set reader `cat /run/secrets/reader-password`
SELECT 'CREATE ROLE parallax_writer LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'parallax_writer') \gexec
SELECT 'CREATE ROLE parallax_reader LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'parallax_reader') \gexec
ALTER ROLE parallax_writer PASSWORD :'writer';
ALTER ROLE parallax_reader PASSWORD :'reader';
SELECT 'CREATE DATABASE parallax OWNER parallax_writer' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'parallax') \gexec
REVOKE ALL ON DATABASE parallax FROM PUBLIC;
GRANT CONNECT ON DATABASE parallax TO parallax_reader;
SQL
psql -d parallax <<'SQL'
GRANT USAGE ON SCHEMA public TO parallax_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO parallax_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE parallax_writer GRANT USAGE ON SCHEMAS TO parallax_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE parallax_writer GRANT SELECT ON TABLES TO parallax_reader;
SQL
pg_ctl --pgdata="$data" --silent --wait --mode=fast stop

exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=200 -c log_connections=off
