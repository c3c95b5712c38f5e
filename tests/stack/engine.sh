# Sourced by ./run: a Docker engine of our own, below $work, that touches neither the machine's firewall nor its other engines.

bridge=parallax-stack
export DOCKER_HOST=unix://$work/engine/docker.sock

# Whether it makes sense to try; prints why not.
can_run_engine() {
    local missing=()
    [ "$(uname -s)" = Linux ] || { echo "containers need Linux"; return 1; }
    [ "$(id -u)" -eq 0 ] || { echo "an engine of its own needs root"; return 1; }
    command -v dockerd >/dev/null || missing+=(docker.io)
    command -v docker-compose >/dev/null || missing+=(docker-compose)
    command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    command -v ip >/dev/null || missing+=(iproute2)
    command -v iptables >/dev/null || missing+=(iptables)
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "${CI:-}" != true ] || ! command -v apt-get >/dev/null; then
        echo "missing: ${missing[*]} (apt-get install --no-install-recommends ${missing[*]})"
        return 1
    fi

    . "$root/.ci/servers.sh"
    if ! { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } >"$work/apt.log" 2>&1; then
        echo "${missing[*]} cannot be installed: $(tail -n 1 "$work/apt.log")"
        return 1
    fi
}

start_engine() {
    mkdir -p "$work/engine" "$work/bin"
    # The client of the same version builds with BuildKit by itself; newer ones need a plugin for it.
    [ ! -x /usr/bin/docker ] || ln -sf /usr/bin/docker "$work/bin/docker"
    export PATH=$work/bin:$PATH
    # A bridge of its own: docker0 may be another engine's.
    ip link add "$bridge" type bridge && ip address add 172.30.254.1/24 dev "$bridge" && ip link set "$bridge" up || return
    setsid dockerd --bridge "$bridge" --data-root "$work/engine/data" --exec-root "$work/engine/exec" --pidfile "$work/engine/pid" -H "$DOCKER_HOST" \
        --storage-driver overlay2 --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
        --default-address-pool base=172.30.128.0/18,size=24 >"$work/engine.log" 2>&1 </dev/null &
    for _ in $(seq 300); do
        if docker info >/dev/null 2>&1; then return; fi
        kill -0 $! 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

engine_problem() { grep -E 'level=(fatal|error)|failed|rror' "$work/engine.log" | tail -n 1 | cut -c 1-300; }

# Removes the stack, the engine and all that it kept. Never fails: whatever is not there need not go.
stop_engine() {
    local pid
    pid=$(cat "$work/engine/pid" 2>/dev/null) || pid=
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
        docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1
        docker network prune -f >/dev/null 2>&1
        kill "$pid"
        for _ in $(seq 200); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null
    fi
    # What a dead engine leaves mounted.
    awk -v below="$work/engine/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
    ip -o link | grep -oE 'br-[0-9a-f]{12}' | sort -u | while read -r left; do
        if ip -o -4 address show "$left" | grep -qE ' 172\.30\.1[2-9][0-9]\.'; then ip link delete "$left"; fi
    done
    ip link delete "$bridge" 2>/dev/null
    rm -rf "$work/engine"
}
