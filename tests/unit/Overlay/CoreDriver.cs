using Parallax.Contracts.Identifiers;
using Parallax.Overlay;
using Parallax.Overlay.Protocol;
using Parallax.Overlay.Routing;
using Parallax.Testing.Overlay;

namespace Parallax.UnitTests.Overlay;

/// <summary>A core whose calls the test answers.</summary>
internal sealed class CoreDriver
{
    /// <summary>A key beside which peers are numbered by distance.</summary>
    public static readonly OverlayKey Near = new(new PeerId(Convert.FromHexString("F000000000000000000000000000000000000000")));

    private readonly Queue<CallToMake> _calls = [];
    private readonly List<OverlayOutput> _outputs = [];

    public CoreDriver(CoreSettings settings)
    {
        // It is farther from the key than all that a test numbers.
        var self = new PeerContact(TestRecords.Record(77, 1).Publisher, new Uri("http://127.0.0.1:1"));
        Core = new OverlayCore(settings, self, 1, [], TestRecords.Publisher(77), UncheckedSignatures.Verifier, new Random(1));
        Core.Start(default);
    }

    public OverlayCore Core { get; }

    /// <summary>What came out, calls apart.</summary>
    public List<OverlayOutput> Outputs
    {
        get
        {
            Take();
            return _outputs;
        }
    }

    /// <summary>The peer whose distance to <see cref="Near"/> is a number.</summary>
    public static PeerContact PeerAt(int distance)
    {
        var bytes = Near.Value.ToByteArray();
        (bytes[18], bytes[19]) = ((byte)(distance >> 8), (byte)distance);
        return TestRecords.Peer(new PeerId(bytes), distance);
    }

    /// <summary>Calls that are wanted since the last time.</summary>
    public List<CallToMake> Calls()
    {
        Take();
        var calls = _calls.ToList();
        _calls.Clear();
        return calls;
    }

    public void Answer(CallToMake call, OverlayAnswer answer) => Core.Answered(call.Id, call.Expected!.Value, answer, TimeSpan.FromMilliseconds(1), default);

    public void Know(params int[] peers) => Know(TimeSpan.Zero, peers);

    /// <summary>Lets peers answer a ping each, so that they are known.</summary>
    public void Know(TimeSpan now, params int[] peers)
    {
        foreach (var peer in peers.Select(PeerAt))
        {
            Core.Handle(new OverlayCaller("introduced", peer), PingCall.Instance, now);
            Take();
            var ping = _calls.Single(call => call.Expected == peer.Id && call.Request is PingCall);
            var others = _calls.Where(call => call != ping).ToList();
            _calls.Clear();
            others.ForEach(_calls.Enqueue);
            Core.Answered(ping.Id, peer.Id, PingAnswer.Instance, TimeSpan.FromMilliseconds(1), now);
        }
    }

    private void Take()
    {
        while (Core.TryTake(out var output))
        {
            if (output is CallToMake call)
            {
                _calls.Enqueue(call);
            }
            else
            {
                _outputs.Add(output);
            }
        }
    }
}
