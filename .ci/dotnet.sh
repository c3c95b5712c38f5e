# Sourced by ./test and .ci/run: finds the .NET 10 SDK and puts it on the PATH. On a build machine (CI=true) without one,
# the official install script puts it into artifacts/dotnet; on a person's machine nothing is installed unasked.

has_sdk() { [ -x "$1" ] && "$1" --list-sdks 2>/dev/null | grep -q '^10\.'; }

use_dotnet() {
    local root=$1 candidate
    for candidate in "$(command -v dotnet || true)" "${DOTNET_ROOT:-/nonexistent}/dotnet" "${HOME:-/nonexistent}/.dotnet/dotnet" "$root/artifacts/dotnet/dotnet"; do
        if has_sdk "$candidate"; then
            export PATH="$(dirname "$candidate"):$PATH"
            # Test executables start through their own host, which asks this variable when dotnet is in no standard place.
            [ "$(command -v dotnet)" = /usr/bin/dotnet ] || export DOTNET_ROOT="$(cd -P "$(dirname "$(readlink -f "$candidate")")" && pwd)"
            return
        fi
    done

    if [ "${CI:-}" = true ]; then
        echo "no .NET 10 SDK here: installing one into artifacts/dotnet"
        mkdir -p "$root/artifacts"
        if curl -fsSL --retry 3 https://dot.net/v1/dotnet-install.sh -o "$root/artifacts/dotnet-install.sh" \
            && bash "$root/artifacts/dotnet-install.sh" --channel 10.0 --install-dir "$root/artifacts/dotnet" --no-path >/dev/null \
            && has_sdk "$root/artifacts/dotnet/dotnet"; then
            export PATH="$root/artifacts/dotnet:$PATH" DOTNET_ROOT="$root/artifacts/dotnet"
            return
        fi
        echo "installing it failed" >&2
    fi

    cat >&2 <<'HELP'
The .NET 10 SDK is needed. Get it from https://dotnet.microsoft.com/download/dotnet/10.0, or without root:
    curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0
which puts it in ~/.dotnet, where this script looks.
HELP
    exit 1
}

# build ARGUMENT...: dotnet build with one compiler process for all projects, which takes half the time of one for each, and
# which ends with the build.
build() {
    local id=parallax-$$ code=0
    dotnet build "$@" -v quiet -m:2 -nodeReuse:false -p:UseSharedCompilation=true -p:SharedCompilationId=$id </dev/null || code=$?
    pkill -f -- "-pipename:$id" || true
    return $code
}
