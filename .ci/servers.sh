# Sourced by ./test: finds the servers that integration tests start, or fetches them. Tests whose server is absent are
# skipped with that reason. Quiet and quick when all is there.

# Puts nats-server on the PATH. Where it is not installed, Debian's package is unpacked into artifacts/tools, which needs
# no root, changes nothing outside the repository and starts no service; where that fails, root installs the package.
use_nats_server() {
    local root=$1 tool=$1/artifacts/tools/nats-server log=$1/artifacts/tools/nats-server.log
    if on_path nats-server /usr/sbin /usr/local/bin "$tool/usr/sbin"; then return; fi

    mkdir -p "$tool"
    echo "no nats-server here: fetching it"
    if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
        [ "$(id -u)" -ne 0 ] || apt_get update >"$log" 2>&1
        if unpack_package nats-server "$tool" >>"$log" 2>&1 && on_path nats-server "$tool/usr/sbin"; then return; fi
        if [ "$(id -u)" -eq 0 ] && apt_get install -y --no-install-recommends nats-server >>"$log" 2>&1 && on_path nats-server /usr/sbin; then
            return
        fi
    fi

    echo "that failed (see artifacts/tools/nats-server.log): tests that need it will be skipped"
}

# PostgreSQL and RabbitMQ, which the tests find by themselves where packages are installed or were unpacked: LocalPostgresServer
# and LocalRabbitMqServer in tests/testing/Servers.
use_postgres() { use_unpacked "$1" postgresql '/usr/lib/postgresql/*/bin/initdb'; }
use_rabbitmq() { use_unpacked "$1" rabbitmq-server '/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server'; }

# A package whose program is at a place (a pattern): installed, or unpacked into artifacts/tools with those of its dependencies that are
# not installed, or, where that fails, installed by root.
use_unpacked() {
    local root=$1 package=$2 place=$3 tool=$1/artifacts/tools/$2 log=$1/artifacts/tools/$2.log
    if compgen -G "$place" >/dev/null || compgen -G "$tool$place" >/dev/null; then return; fi

    mkdir -p "$tool"
    echo "no $package here: fetching it"
    if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
        [ "$(id -u)" -ne 0 ] || apt_get update >"$log" 2>&1
        if unpack_with_dependencies "$package" "$tool" >>"$log" 2>&1 && compgen -G "$tool$place" >/dev/null; then
            # As root the server runs as another user, who must be let in.
            if [ "$(id -u)" -ne 0 ] || setpriv --reuid=nobody --clear-groups test -r "$(compgen -G "$tool$place" | head -n 1)"; then return; fi
            rm -rf "$tool"
        fi
        if [ "$(id -u)" -eq 0 ] && apt_get install -y --no-install-recommends "$package" >>"$log" 2>&1 && compgen -G "$place" >/dev/null; then return; fi
    fi

    echo "that failed (see artifacts/tools/$package.log): tests that need it will be skipped"
}

# Whether a program is on the PATH, if need be after adding the first of these folders that has it.
on_path() {
    local program=$1 folder
    shift
    if command -v "$program" >/dev/null; then return; fi
    for folder in "$@"; do
        if [ -x "$folder/$program" ]; then
            export PATH="$PATH:$folder"
            return
        fi
    done
    return 1
}

# Unpacks a package and those that it needs and that are not installed into a folder. What they are, apt says without being root.
unpack_with_dependencies() {
    local package=$1 folder=$2 missing
    missing=$(apt_get install -y --no-install-recommends --print-uris "$package" | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p")
    [ -n "$missing" ] && unpack_package "$missing" "$folder"
}

# Unpacks packages of the distribution, without their dependencies, into a folder.
unpack_package() {
    local packages=$1 folder=$2 scratch
    scratch=$(mktemp -d) || return
    chmod 755 "$scratch" # apt downloads as a user of its own
    (cd "$scratch" && apt_get download $packages && for package in ./*.deb; do dpkg -x "$package" "$folder" || exit; done)
    local code=$?
    rm -rf "$scratch"
    return $code
}

# apt-get that gives up soon where there is no network.
apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o DPkg::Lock::Timeout=60 "$@" </dev/null
}
