using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Identity;
using Parallax.KvClient.Protocol;

namespace Parallax.KvClient.Instances;

/// <summary>Connections to one instance, and how it has answered. Thread-safe.</summary>
internal sealed class InstanceLink : IDisposable
{
    private const int StreamWindowBytes = 4 << 20;

    private readonly GrpcChannel[] _channels;
    private readonly CallInvoker[] _invokers;
    private uint _turn;

    public InstanceLink(KvInstance instance, SwarmCredentials credentials, KvClientOptions options, Action onReturned)
    {
        Instance = instance;
        Health = new InstanceHealth(options, onReturned);
        _channels = [.. Enumerable.Range(0, options.Connections).Select(_ => Open(instance, credentials, options))];
        _invokers = [.. _channels.Select(static channel => channel.CreateCallInvoker())];
    }

    public KvInstance Instance { get; }

    public InstanceHealth Health { get; }

    /// <summary>The connection for the next call, each in its turn.</summary>
    public CallInvoker Next() => _invokers[Interlocked.Increment(ref _turn) % (uint)_invokers.Length];

    public void Dispose()
    {
        foreach (var channel in _channels)
        {
            channel.Dispose();
        }
    }

    private static GrpcChannel Open(KvInstance instance, SwarmCredentials credentials, KvClientOptions options)
    {
        var handler = credentials.CreateHandler(instance.Id, MemberRoles.KvCache);
        handler.ConnectTimeout = options.Patience;
        handler.InitialHttp2StreamWindowSize = StreamWindowBytes;
        return GrpcChannel.ForAddress(instance.Address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = PartCodec.MostMessageBytes,
            MaxSendMessageSize = PartCodec.MostMessageBytes,
        });
    }
}
