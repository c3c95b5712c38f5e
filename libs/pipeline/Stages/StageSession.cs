using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;
using Parallax.Transport.Flow;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// One session at one stage: both hops, the rows that wait and those that are kept. Owned by the loop.
/// </summary>
/// <remarks>
/// At the head `TokenCount` is N and rows are computed from ids; elsewhere it counts the positions whose rows have come,
/// so that `Remaining` is always what can be computed now. KV positions and `Receiver.Applied` are one number on stages
/// behind the head.
/// </remarks>
internal sealed class StageSession : EngineSession
{
    public StageSession(
        OpenRequest request,
        ISessionSink sink,
        ITokenSampler sampler,
        KvSequence sequence,
        StagePeer previous,
        StagePeer next,
        RowJournal journal)
        : base(request, sink, sampler, sequence)
    {
        Previous = previous;
        Next = next;
        Journal = journal;
        KnownIds = TokenCount;
        SampleFrom = KnownIds - 1;
    }

    /// <summary>The ring.</summary>
    public StagePath Path => Request.Path!;

    /// <summary>Who sends to this stage.</summary>
    public StagePeer Previous { get; private set; }

    /// <summary>Whom this stage sends to.</summary>
    public StagePeer Next { get; private set; }

    /// <summary>Both hops; set when the cached prefix is known.</summary>
    public StageFlow Flow { get; private set; } = null!;

    /// <summary>What has come from the previous stage.</summary>
    public HopReceiver Receiver => Flow.Receiver;

    /// <summary>What goes to the next stage.</summary>
    public HopSender Sender => Flow.Sender;

    /// <summary>Standbys of the next stage.</summary>
    public List<StageMirror> Mirrors { get; } = [];

    /// <summary>Whether it computes for a takeover only: nothing is kept for a next stage, nothing sampled.</summary>
    public bool IsStandby => Request.IsStandby;

    /// <summary>The outputs (the tail's: the tokens) that can be sent again.</summary>
    public RowJournal Journal { get; }

    /// <summary>Rows to be computed, behind the head.</summary>
    public RowInbox Inbox { get; } = new();

    /// <summary>Rows whose outputs are to be computed again, behind the head.</summary>
    public RowInbox Rebuilds { get; } = new();

    /// <summary>Tokens of prompt and answer whose ids this stage knows (N at the tail).</summary>
    public int KnownIds { get; private set; }

    /// <summary>Rows from this position on are sampled (N-1 of the last Resume).</summary>
    public int SampleFrom { get; set; }

    /// <summary>Computed rows that the previous stage has not been told of.</summary>
    public int UnacknowledgedRows { get; set; }

    /// <summary>Bytes that this session adds to <see cref="StagePeer.InFlightBytes"/> of its next hop.</summary>
    public long InFlightBytes { get; set; }

    /// <summary>Order in which sessions became ready to decode: the head serves them in that order.</summary>
    public long ReadySince { get; set; }

    /// <summary>Whether the head may put its row into the step at hand.</summary>
    public bool MayDecode { get; set; }

    /// <summary>The micro-batch in which its last row travels; 0 for none.</summary>
    public long Group { get; set; }

    /// <summary>Whether it waits in the list of sessions that have something to settle.</summary>
    public bool IsUnsettled { get; set; }

    /// <summary>Whether decoding has begun (the prompt is computed) and only its token is away.</summary>
    public bool AwaitsToken => State == SessionState.Decoding && Remaining == 0;

    /// <summary>All positions that the session is known to need.</summary>
    public int KnownPositions => Math.Max(KnownIds, TokenCount);

    /// <summary>Makes the hops, now that the cached prefix is known.</summary>
    public void Open(long incarnation, int window)
    {
        Flow = new StageFlow(Id, incarnation, Epoch, Path.IsHead, Path.IsTail, Path.IsHead ? KnownIds : Sequence.Length, window);
        FollowReceiver();
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<int> AnswerTokenIds => AllTokenIds[PromptLength..KnownIds];

    /// <summary>A Fence: both hops stop at the epoch, what has come and is not computed is void, and the neighbours may be others.</summary>
    public void FenceHops(Epoch epoch, StagePeer previous, StagePeer next)
    {
        Flow.Fence(epoch);
        Mirrors.Clear();
        DropRows();
        UnacknowledgedRows = 0;
        Next.InFlightBytes -= InFlightBytes;
        InFlightBytes = 0;
        Journal.EndReservations();
        if (previous != Previous)
        {
            Previous = previous;
            Receiver.Disconnected();
            ConnectReceiver();
        }

        if (next != Next)
        {
            Next = next;
            Sender.Disconnected();
            ConnectSender();
        }
    }

    /// <summary>Tells the fenced hops of the links that are up; nothing is said before Start.</summary>
    public void ConnectReceiver()
    {
        if (Previous.Generation is var generation and > 0)
        {
            Receiver.Connected(generation);
        }
    }

    /// <summary>As <see cref="ConnectReceiver"/>, of the other side.</summary>
    public void ConnectSender()
    {
        if (Next.Generation is var generation and > 0)
        {
            Sender.Connected(generation);
        }
    }

    /// <inheritdoc/>
    public override int SetAnswer(ReadOnlySpan<int> more)
    {
        KnownIds = base.SetAnswer(more);
        SampleFrom = IsStandby ? int.MaxValue : KnownIds - 1;
        return KnownIds;
    }

    /// <summary>Behind the head: what can be computed follows what has been accepted.</summary>
    public void FollowReceiver()
    {
        if (!Path.IsHead)
        {
            TokenCount = Receiver.Accepted;
        }
    }

    /// <summary>
    /// Notes the ids of accepted rows; false, and nothing is noted, when one contradicts what is known.
    /// </summary>
    public bool TryNoteIds(int first, ReadOnlySpan<int> ids)
    {
        var known = Math.Clamp(KnownIds - first, 0, ids.Length);
        if (first > KnownIds || !ids[..known].SequenceEqual(AllTokenIds.Slice(first, known)))
        {
            return false;
        }

        ids.CopyTo(AllTokenIds[first..]);
        KnownIds = Math.Max(KnownIds, first + ids.Length);
        return true;
    }

    /// <summary>An output has entered the journal: standbys get it, too.</summary>
    public void NoteOutput(int position)
    {
        foreach (var mirror in Mirrors)
        {
            mirror.Sender.Produced(position, 1);
        }
    }

    /// <summary>Notes the token that the tail has sampled.</summary>
    public void NoteSampled(int tokenId)
    {
        AllTokenIds[KnownIds++] = tokenId;
        Sampler.Append(tokenId);
    }

    /// <summary>Adopts a token at the head.</summary>
    public override void Append(int tokenId)
    {
        base.Append(tokenId);
        KnownIds = TokenCount;
    }

    /// <summary>Ids of known positions.</summary>
    public ReadOnlySpan<int> IdsAt(int first, int count) => AllTokenIds.Slice(first, count);

    /// <summary>Whether the ids of [first, first + count) fit the session's room.</summary>
    public bool HasRoomFor(int first, int count) => first + count <= AllTokenIds.Length;

    /// <summary>Drops the rows that wait.</summary>
    public void DropRows()
    {
        Inbox.Clear();
        Rebuilds.Clear();
    }
}
