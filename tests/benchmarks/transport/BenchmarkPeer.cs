using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.TransportBenchmark;

/// <summary>A handler whose frame and connection callbacks can be set, and the row that all measurements send.</summary>
internal sealed class BenchmarkPeer : ILinkHandler
{
    public const int Hidden = 4096;
    public const string ServerId = "server";
    public const string ClientId = "client";

    public static readonly RowRun Row = new(
        new SessionId(Guid.Parse("11111111-2222-3333-4444-555555555555")),
        new Epoch(1, Guid.Empty, 0), 1, RowKind.Forward, 0, 1, TensorType.Bf16, Hidden);

    public TaskCompletionSource<(Link Link, long Generation)> Connected { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Action<Link, long, TensorBuffer, FrameHeader> FrameHandler { get; set; } = static (_, _, frame, _) => frame.Dispose();

    /// <summary>Why the link is down, once it is.</summary>
    public string? Down { get; private set; }

    public static LinkHub CreateHub(BenchmarkPeer peer, SwarmCredentials? credentials) => new(
        Configure(credentials?.Self.ToString() ?? ClientId, new LinkOptions()),
        peer,
        TimeProvider.System,
        NullLogger<LinkHub>.Instance,
        security: BenchmarkSwarm.Security(credentials));

    public static LinkOptions Configure(string id, LinkOptions options)
    {
        (options.PeerId, options.Incarnation) = (id, 1);
        // On a busy machine the load of the measurement must not look like a dead peer.
        options.HeartbeatPeriod = TimeSpan.FromSeconds(5);
        return options;
    }

    public void OnConnected(Link link, long generation, HelloFrame peer) => Connected.TrySetResult((link, generation));

    public void OnFrame(Link link, long generation, TensorBuffer frame, in FrameHeader header) =>
        FrameHandler(link, generation, frame, header);

    public void OnDisconnected(Link link, long generation, LinkDownReason reason)
    {
        Down = $"it went down: {reason}";
        Connected.TrySetException(new IOException($"The link went down: {reason}."));
    }

    public void OnLiveness(Link link, PeerLiveness liveness)
    {
        // A dead link shows as a frame that is not answered.
    }
}
