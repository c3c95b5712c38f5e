using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// A standby of the next stage, which gets all that the next stage gets, behind everything else: should that one be lost, the
/// standby has its state already. Best effort: what the journal has no more is not rebuilt for it, it is dropped then.
/// </summary>
internal sealed class StageMirror
{
    private readonly SessionId _session;
    private readonly MirrorTarget _target;

    /// <param name="session">The session.</param>
    /// <param name="peer">The standby.</param>
    /// <param name="target">What the router says of it.</param>
    /// <param name="main">What goes to the next stage.</param>
    /// <param name="window">Most rows sent beyond the last acknowledgement.</param>
    /// <param name="isTail">Whether tokens are sent.</param>
    public StageMirror(SessionId session, StagePeer peer, MirrorTarget target, HopSender main, int window, bool isTail)
    {
        (_session, Peer, _target) = (session, peer, target);
        Sender = new HopSender(main.Epoch, window, isTail);
        foreach (var range in main.Out)
        {
            Sender.Produced(range.Start, range.Count);
        }

        // No sample flag: a standby of the tail draws nothing.
        Sender.Resume(main.Epoch, int.MaxValue, sampleFrom: int.MaxValue, target.Incarnation);
        Connect();
    }

    /// <summary>The standby.</summary>
    public StagePeer Peer { get; }

    /// <summary>What goes to it.</summary>
    public HopSender Sender { get; }

    /// <summary>A link is up.</summary>
    public void OnLinkUp(StagePeer peer)
    {
        if (peer == Peer)
        {
            Connect();
        }
    }

    /// <summary>A link is down.</summary>
    public void OnLinkDown(StagePeer peer)
    {
        if (peer == Peer)
        {
            Sender.Disconnected();
        }
    }

    // Where the standby is the router has said; it says so itself on each connection, and that counts then.
    private void Connect()
    {
        if (Peer.Generation is var generation and > 0)
        {
            Sender.Connected(generation);
            Sender.OnMessage(
                generation, new FlowMessage(FlowMessageKind.State, _session, Sender.Epoch, _target.Incarnation, _target.Applied), default);
        }
    }
}
