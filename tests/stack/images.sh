# Sourced by ./run: images for the stack where nothing can be pulled. Every image is put together as a folder and imported.
# What takes long and never changes, the distribution's packages, is kept in $work/cache.

runtime_packages=base-files,base-passwd,bash,ca-certificates,coreutils,dash,libc-bin,libgssapi-krb5-2,libssl3,libstdc++6
server_packages=$runtime_packages,debianutils,grep,hostname,procps,sed,wget,haproxy,nats-server,postgresql-15,rabbitmq-server

# rootfs NAME PACKAGES: a tar of a root file system with these packages and what they need, unpacked but not configured: no
# maintainer script runs, which takes a fifth of the time.
rootfs() {
    local tar=$work/cache/$1-$(printf '%s' "$2" | cksum | cut -d' ' -f1).tar
    if [ ! -s "$tar" ]; then
        mkdir -p "$work/cache"
        mmdebstrap --quiet --format=tar --variant=extract --include="$2" bookworm "$tar.new" >"$work/$1.log" 2>&1 || return
        mv "$tar.new" "$tar"
    fi
    ln -sf "$tar" "$work/$1.tar"
}

# Both, which takes minutes the first time.
packages() {
    rootfs runtime "$runtime_packages" &
    local one=$!
    rootfs servers "$server_packages" && wait $one
}

base_images() { runtime_image && servers_image; }

# unpack TAR FOLDER and pack FOLDER IMAGE: what is between them belongs to the image.
unpack() {
    rm -rf "$2"
    mkdir -p "$2"
    tar -C "$2" -xf "$1"
    mkdir -p "$2/tmp" "$2/etc"
    chmod 1777 "$2/tmp"
}

pack() {
    tar -C "$1" -c . | docker import --change "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin" - "$2" >/dev/null
    rm -rf "$1"
}

# What a base image of .NET is: the distribution and the host's runtime, without its SDK.
runtime_image() {
    local dotnet folder=$work/runtime
    dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
    unpack "$work/runtime.tar" "$folder"
    mkdir -p "$folder/usr/share/dotnet/shared"
    cp -a "$dotnet/dotnet" "$dotnet/host" "$folder/usr/share/dotnet/"
    cp -a "$dotnet/shared/Microsoft.NETCore.App" "$dotnet/shared/Microsoft.AspNetCore.App" "$folder/usr/share/dotnet/shared/"
    ln -s ../share/dotnet/dotnet "$folder/usr/bin/dotnet"
    printf 'root:x:0:0::/root:/bin/bash\n' >"$folder/etc/passwd"
    printf 'root:x:0:\n' >"$folder/etc/group"
    pack "$folder" local/runtime
}

# NATS, RabbitMQ, PostgreSQL and HAProxy in one: the stack starts each by a command of its own.
servers_image() {
    local folder=$work/servers
    unpack "$work/servers.tar" "$folder"
    printf '%s\n' 'root:x:0:0::/root:/bin/bash' 'postgres:x:70:70::/var/lib/postgresql:/bin/sh' 'rabbitmq:x:71:71::/var/lib/rabbitmq:/bin/sh' \
        'haproxy:x:72:72::/:/bin/sh' >"$folder/etc/passwd"
    printf '%s\n' 'root:x:0:' 'postgres:x:70:' 'rabbitmq:x:71:' 'haproxy:x:72:' >"$folder/etc/group"
    mkdir -p "$folder/var/lib/postgresql/data" "$folder/var/lib/rabbitmq"
    chown 70:70 "$folder/var/lib/postgresql/data"
    chown -R 71:71 "$folder/var/lib/rabbitmq"
    pack "$folder" local/servers
}

# The programs as the build left them, for the Dockerfiles to copy from: without what other systems need.
published_image() {
    local folder=$work/published name project
    rm -rf "$folder"
    while read -r name project; do
        mkdir -p "$folder/published/$name"
        tar -C "$root/artifacts/bin/$project/release" --exclude='*.pdb' --exclude='*.xml' --exclude='./runtimes/[!l]*' --exclude='./runtimes/linux-[!x]*' \
            --exclude='./runtimes/linux-x86' -c . | tar -C "$folder/published/$name" -x
    done <<'PROJECTS'
router Parallax.Router
scheduler Parallax.Scheduler
kvcache Parallax.KvCache
worker-gpu Parallax.Worker.Gpu
parallax Parallax.Cli
PROJECTS
    tar -C "$folder" -c . | docker import - local/published >/dev/null
}
