using Parallax.Contracts.Identifiers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>
/// Both hops of one session at one stage, as they go together (session protocol, rules 4, 5 and 7): what has come from the
/// previous stage and what goes to the next. Pure: messages in, decisions out; no clock, no I/O. Owned by one loop, not
/// thread-safe. KV, ids and the journal are the owner's.
/// </summary>
public sealed class StageFlow
{
    private readonly bool _isHead;
    private readonly bool _isTail;

    /// <summary>A session that is fenced at <paramref name="epoch"/>.</summary>
    /// <param name="session">The session.</param>
    /// <param name="incarnation">This worker's incarnation.</param>
    /// <param name="epoch">The epoch of the Open.</param>
    /// <param name="isHead">Whether the stage starts from ids: its receiver is the token link's.</param>
    /// <param name="isTail">Whether the stage samples: its sender is the token link's.</param>
    /// <param name="applied">Positions held from the prefix cache; at the head, ids known.</param>
    /// <param name="window">Most rows sent beyond the last acknowledgement.</param>
    public StageFlow(SessionId session, long incarnation, Epoch epoch, bool isHead, bool isTail, int applied, int window)
        : this(session, incarnation, epoch, isHead, isTail, applied, window, HopRules.All)
    {
    }

    internal StageFlow(SessionId session, long incarnation, Epoch epoch, bool isHead, bool isTail, int applied, int window, HopRules rules)
    {
        (_isHead, _isTail) = (isHead, isTail);
        Receiver = new HopReceiver(session, incarnation, epoch, tokens: isHead, applied, rules);
        Sender = new HopSender(epoch, window, tokens: isTail, rules);
    }

    private StageFlow(StageFlow other)
    {
        (_isHead, _isTail) = (other._isHead, other._isTail);
        Receiver = other.Receiver.Clone();
        Sender = other.Sender.Clone();
    }

    /// <summary>What has come from the previous stage.</summary>
    public HopReceiver Receiver { get; }

    /// <summary>What goes to the next stage.</summary>
    public HopSender Sender { get; }

    /// <summary>
    /// A Fence came: both hops stop at the epoch. The owner throws away what it accepted and has not computed, and tells the
    /// hops if their neighbours are others now (<see cref="HopReceiver.Disconnected"/>, <see cref="HopReceiver.Connected"/>).
    /// </summary>
    public FenceResult Fence(Epoch epoch)
    {
        Sender.Fence(epoch);
        return Receiver.Fence(epoch);
    }

    /// <summary>
    /// Resume came. The owner has cut its KV to at most <paramref name="keep"/> positions, its ids to N and its journal to
    /// <see cref="KeptOutputs"/>.
    /// </summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="keep">Positions that the router names: the agreed prefix at the start, N-1 later.</param>
    /// <param name="applied">Positions whose KV is held, at most <paramref name="keep"/>.</param>
    /// <param name="known">N.</param>
    /// <param name="nextIncarnation">The next stage's incarnation that acknowledged the Fence.</param>
    /// <returns>The State for the previous stage, or a message of kind None.</returns>
    public FlowMessage Resume(Epoch epoch, int keep, int applied, int known, long nextIncarnation)
    {
        Sender.Resume(epoch, KeptOutputs(keep, known), sampleFrom: known - 1, nextIncarnation);
        return ResumeReceiver(epoch, applied, known);
    }

    /// <summary>As <see cref="Resume"/>, of a stage that stands by: it takes what comes and sends nothing.</summary>
    public FlowMessage ResumeReceiver(Epoch epoch, int applied, int known) => Receiver.Resume(epoch, _isHead ? known : applied);

    /// <summary>While it is fenced: so many leading positions' KV is held now (<see cref="HopReceiver.Restored"/>). A head's ids stay as they are.</summary>
    public void Restored(int applied)
    {
        if (!_isHead)
        {
            Receiver.Restored(applied);
        }
    }

    /// <summary>Outputs from here on are void after a Resume: hidden states of positions, or at the tail tokens.</summary>
    public int KeptOutputs(int keep, int known) => _isTail ? known : keep;

    /// <summary>
    /// What is wanted again from upstream, since the next stage needs it and the journal lacks it; nothing at the head, which
    /// computes it again from ids, and at the tail, whose next stage needs tokens alone.
    /// </summary>
    public FlowMessage Need() => _isHead || _isTail ? default : Receiver.Need(Sender.Missing(Receiver.Applied));

    /// <summary>Both hops in the same state; they go their own way from here.</summary>
    internal StageFlow Clone() => new(this);

    /// <summary>Says all that decides what they do from here on, for tests that compare states.</summary>
    internal void WriteTo(List<long> state)
    {
        state.Add((_isHead ? 1 : 0) + (_isTail ? 2 : 0));
        Receiver.WriteTo(state);
        Sender.WriteTo(state);
    }
}
