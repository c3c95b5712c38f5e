# The KV cache, from the repository's root: docker build -f compose/images/kvcache.Dockerfile .

ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0
# The stage, or an image, whose folder /published/kvcache is the program: an image where nothing can be compiled.
ARG PUBLISHED=build

# All programs are compiled by the same steps in each of these files, so that a builder does them once.
FROM ${SDK_IMAGE} AS compiled
ARG TARGETARCH
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/root/.nuget/packages \
    dotnet build cli/Parallax.Cli.csproj -c Release -v quiet --arch $TARGETARCH --no-self-contained

FROM compiled AS build
RUN --mount=type=cache,target=/root/.nuget/packages \
    dotnet publish services/kvcache/Parallax.KvCache.csproj -c Release -v quiet --no-build --arch $TARGETARCH --no-self-contained -o /published/kvcache

FROM ${PUBLISHED} AS published

FROM ${RUNTIME_IMAGE}
# Everything that it keeps is below its home. A volume that is mounted there for the first time takes the owner from here.
RUN mkdir -p /var/lib/parallax && chown 10001:10001 /var/lib/parallax && chmod 0700 /var/lib/parallax
COPY compose/images/healthy /usr/local/bin/healthy
COPY --from=published /published/kvcache /app
ENV HOME=/var/lib/parallax \
    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    # No debugger's pipe: the root file system is read-only.
    DOTNET_EnableDiagnostics=0 \
    # Garbage is collected every 16 MiB; .NET's default follows the processor's cache, which is large on servers.
    DOTNET_GCgen0size=0x1000000
USER 10001:10001
WORKDIR /var/lib/parallax
EXPOSE 7100 8080
HEALTHCHECK --interval=5s --timeout=10s --start-period=180s --retries=6 CMD ["healthy", "8080"]
ENTRYPOINT ["dotnet", "/app/Parallax.KvCache.dll"]
