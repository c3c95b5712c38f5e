using System.Net;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.ModelFiles;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Storage;

namespace Parallax.IntegrationTests.ModelFiles;

/// <summary>A member that gives model files, in this process, over real gRPC on loopback.</summary>
internal sealed class FilesPeer : IAsyncDisposable
{
    private WebApplication? _app;

    private FilesPeer(ModelStore store) => Store = store;

    public ModelStore Store { get; }

    public Uri Address { get; private set; } = null!;

    public ModelPeer Peer => new(Address, null);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static ModelStore NewStore(string cache, params string[] paths) => NewStore(new ModelStoreOptions { CacheFolder = cache, Paths = paths });

    public static ModelStore NewStore(ModelStoreOptions options) => new(options, TimeProvider.System, NullLogger<ModelStore>.Instance);

    public static Task<FilesPeer> StartAsync(string cache, params string[] paths) => StartAsync(NewStore(cache, paths));

    /// <param name="store">What it has; disposed with it.</param>
    /// <param name="service">Answers instead of the real service; null for the real one.</param>
    /// <param name="port">Where; 0 for any.</param>
    public static async Task<FilesPeer> StartAsync(ModelStore store, Contracts.V1.ModelFiles.ModelFilesBase? service = null, int port = 0)
    {
        await store.StartIndexing();
        var peer = new FilesPeer(store);
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        builder.UseEmbeddedLifetime();
        builder.Listen(IPAddress.Loopback, port, HttpProtocols.Http2);
        builder.AddModelFiles(store);
        if (service is ScriptedFiles scripted)
        {
            builder.Services.AddSingleton(scripted);
        }

        peer._app = builder.Build();
        if (service is ScriptedFiles)
        {
            peer._app.MapGrpcService<ScriptedFiles>();
        }
        else
        {
            peer._app.MapModelFiles();
        }

        await peer._app.StartAsync(Token);
        peer.Address = peer._app.ListeningAddress();
        return peer;
    }

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is { } app)
        {
            using var now = new CancellationTokenSource(TimeSpan.Zero);
            await app.StopAsync(now.Token);
            await app.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Store.DisposeAsync();
    }

    /// <summary>Channels of a test, closed together.</summary>
    internal sealed class Channels : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<Uri, GrpcChannel> _channels = [];

        public GrpcChannel Get(Uri address, PeerId? id)
        {
            lock (_gate)
            {
                return _channels.TryGetValue(address, out var known) ? known : _channels[address] = GrpcChannel.ForAddress(address);
            }
        }

        public Contracts.V1.ModelFiles.ModelFilesClient Client(Uri address) => new(Get(address, null));

        public void Dispose()
        {
            foreach (var channel in _channels.Values)
            {
                channel.Dispose();
            }
        }
    }
}
