using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.IntegrationTests.Identity;

/// <summary>
/// Calls to a node's port over a handler of the test's choice: every call that a stranger could wish to make, each awaited
/// to its first answer.
/// </summary>
internal sealed class Caller : IDisposable
{
    private readonly GrpcChannel _channel;

    private Caller(Uri address, SocketsHttpHandler handler)
    {
        Handler = handler;
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        Worker = new Contracts.V1.Worker.WorkerClient(_channel);
        Membership = new Contracts.V1.Membership.MembershipClient(_channel);
    }

    public SocketsHttpHandler Handler { get; }

    public Contracts.V1.Worker.WorkerClient Worker { get; }

    public Contracts.V1.Membership.MembershipClient Membership { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As a member.</summary>
    public static Caller Member(SwarmCredentials credentials, Uri address) => new(address, credentials.CreateHandler());

    /// <summary>As somebody who trusts every server and shows this certificate, or none.</summary>
    public static Caller Stranger(Uri address, X509Certificate2? certificate = null) => new(address, new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
            RemoteCertificateValidationCallback = static (_, _, _, errors) => errors != (SslPolicyErrors)(-1),
        },
    });

    public static Caller Over(Uri address, SocketsHttpHandler handler) => new(address, handler);

    /// <summary>Every call on a worker's port, by name.</summary>
    public IEnumerable<(string Name, Func<Task> Call)> Everything()
    {
        yield return ("GetInfo", async () => await Worker.GetInfoAsync(new GetInfoRequest(), cancellationToken: Token));
        yield return ("GetStats", async () => await Worker.GetStatsAsync(new GetStatsRequest(), cancellationToken: Token));
        yield return ("ListShards", async () => await Worker.ListShardsAsync(new ListShardsRequest(), cancellationToken: Token));
        yield return ("UnloadShard", async () => await Worker.UnloadShardAsync(new UnloadShardRequest { ShardId = "s1" }, cancellationToken: Token));
        yield return ("LoadShard", async () =>
        {
            using var call = Worker.LoadShard(new LoadShardRequest { ModelPath = "/etc" }, cancellationToken: Token);
            await call.ResponseStream.MoveNext(Token);
        }
        );
        yield return ("Control", async () =>
        {
            using var call = Worker.Control(cancellationToken: Token);
            await WriteAsync(call.RequestStream, new RouterMessage { Hello = new Hello { RouterHigh = 1, RouterLow = 2 } });
            await call.ResponseStream.MoveNext(Token);
        }
        );
        yield return ("Frames", () => GreetAsync("intruder", heartbeats: false));
        yield return ("Heartbeats", () => GreetAsync("intruder", heartbeats: true));
        yield return ("Health", () => UnaryAsync("grpc.health.v1.Health", "Check"));
        yield return ("Overlay.Store", () => UnaryAsync("parallax.v1.Overlay", "Store"));
        yield return ("Overlay.FindValue", () => UnaryAsync("parallax.v1.Overlay", "FindValue"));
        yield return ("Swarm.GetStatus", () => UnaryAsync("parallax.v1.Swarm", "GetStatus"));
        yield return ("Swarm.Leave", () => UnaryAsync("parallax.v1.Swarm", "Leave"));
        yield return ("Renew", async () => await Membership.RenewAsync(new RenewRequest(), cancellationToken: Token));
        yield return ("Revocations", async () => await Membership.RevocationsAsync(new RevocationsRequest(), cancellationToken: Token));
        yield return ("other case", () => UnaryAsync("PARALLAX.v1.worker", "getinfo"));
        yield return ("no such call", () => UnaryAsync("parallax.v1.Nothing", "AtAll"));
    }

    /// <summary>Says Hello on a link and waits for the answer.</summary>
    public async Task GreetAsync(string id, bool heartbeats)
    {
        var protocol = new LinkProtocol(TensorBufferPool.Shared);
        using var call = _channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            heartbeats ? protocol.Heartbeats : protocol.Frames, null, new CallOptions(cancellationToken: Token));
        using var hello = HelloFrame.Create(id, 1).ToFrame(TensorBufferPool.Shared);
        FrameHeader.Seal(hello.Span, 1);
        await WriteAsync(call.RequestStream, hello);
        while (await call.ResponseStream.MoveNext(Token))
        {
            call.ResponseStream.Current.Dispose(); // the server's Hello, which an accepted caller gets
        }
    }

    public void Dispose() => _channel.Dispose();

    // A refused call may end before its first message is out; what the refusal says is read from the answer.
    private static async Task WriteAsync<T>(IClientStreamWriter<T> stream, T message)
    {
        try
        {
            await stream.WriteAsync(message, Token);
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException or IOException)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"The call ended first: {e.Message}");
        }
    }

    private async Task UnaryAsync(string service, string method)
    {
        var bytes = Marshallers.Create(static (byte[] message) => message, static message => message);
        await _channel.CreateCallInvoker().AsyncUnaryCall(
            new Method<byte[], byte[]>(MethodType.Unary, service, method, bytes, bytes), null, new CallOptions(cancellationToken: Token), []);
    }
}
