using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Batching;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Execution;

/// <summary>One session's state; owned by the loop.</summary>
internal class EngineSession
{
    private readonly int[] _tokenIds;

    public EngineSession(OpenRequest request, ISessionSink sink, ITokenSampler sampler, KvSequence sequence)
    {
        Request = request;
        Sink = sink;
        Sampler = sampler;
        Sequence = sequence;
        _tokenIds = new int[request.PromptTokenIds.Length + request.Sampling.MaxTokens];
        request.PromptTokenIds.CopyTo(_tokenIds);
        request.AnswerTokenIds.CopyTo(_tokenIds, PromptLength);
        TokenCount = PromptLength + request.AnswerTokenIds.Length;
        Known = TokenCount;
    }

    public OpenRequest Request { get; private set; }

    public SessionId Id => Request.Session;

    public Epoch Epoch => Request.Epoch;

    public ISessionSink Sink { get; private set; }

    public ITokenSampler Sampler { get; set; }

    /// <summary>Its KV blocks.</summary>
    public KvSequence Sequence { get; }

    public SessionState State { get; set; } = SessionState.Opened;

    /// <summary>Token ids of prompt and answer.</summary>
    public ReadOnlySpan<int> TokenIds => _tokenIds.AsSpan(0, TokenCount);

    /// <summary>Tokens known: prompt and answer (N of the session protocol).</summary>
    public int TokenCount { get; protected set; }

    /// <summary>Ids of the answer that are known.</summary>
    public virtual ReadOnlySpan<int> AnswerTokenIds => _tokenIds.AsSpan(PromptLength, Generated);

    /// <summary>Room for the ids of prompt and answer; known up to <see cref="TokenCount"/>.</summary>
    protected Span<int> AllTokenIds => _tokenIds;

    public int PromptLength => Request.PromptTokenIds.Length;

    /// <summary>Answer tokens adopted.</summary>
    public int Generated => Math.Max(0, TokenCount - PromptLength);

    /// <summary>Known tokens whose positions are not computed; 1 when the next row gives the next token.</summary>
    public int Remaining => TokenCount - Sequence.Length;

    /// <summary>Whole blocks of token ids that may come from the prefix cache: the last known token always runs.</summary>
    public int MatchLimit => (TokenCount - 1) / KvGroup.BlockTokens * KvGroup.BlockTokens;

    /// <summary>Tokens of prompt and answer that the router has acknowledged.</summary>
    public int Known { get; private set; }

    /// <summary>The prefix that Open answered.</summary>
    public int CachedPrefix { get; set; }

    /// <summary>Prompt tokens that came from the prefix cache.</summary>
    public int CachedTokens { get; set; }

    /// <summary>False while the router's Start asked for less than the cache has.</summary>
    public bool MayMatch { get; set; } = true;

    /// <summary>Whether it was fenced since it was opened, so that its next Start is a Resume.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Times it gave its blocks back after it had run.</summary>
    public int Preemptions { get; set; }

    /// <summary>
    /// Positions below it have been computed before, here or at a stage that was lost: computing them again is the cost of a
    /// failure, or of giving blocks back.
    /// </summary>
    public int ComputedBefore { get; set; }

    /// <summary>Blocks that are being fetched for it before its Open is answered.</summary>
    public BlockRestore? Restore { get; set; }

    /// <summary>See <see cref="SessionView.Bypassed"/>.</summary>
    public int Bypassed { get; set; }

    /// <summary>Its client's share.</summary>
    public ClientShare Client { get; set; } = null!;

    /// <summary>When its lease runs out, since the engine's start.</summary>
    public TimeSpan LeaseDue { get; set; }

    /// <summary>When its deadline passes, since the engine's start.</summary>
    public TimeSpan DeadlineDue { get; set; } = TimeSpan.MaxValue;

    public bool IsRunning => State is SessionState.Prefilling or SessionState.Decoding;

    /// <summary>The state as the scheduler names it.</summary>
    public SessionPhase Phase => State switch
    {
        SessionState.Opened => SessionPhase.Opened,
        SessionState.Waiting => SessionPhase.Waiting,
        SessionState.Prefilling => SessionPhase.Prefilling,
        _ => SessionPhase.Decoding,
    };

    /// <summary>Whether the router must acknowledge tokens before more are computed.</summary>
    public bool IsPaused(int runAhead) => TokenCount - Known >= runAhead;

    /// <summary>Stops it where it is: the request of a higher epoch takes the place of its own.</summary>
    public void Fence(OpenRequest request, ISessionSink sink)
    {
        (Request, Sink, IsFenced, State) = (request, sink, true, SessionState.Opened);
        CachedPrefix = Sequence.Length;
    }

    /// <summary>The answer is known as far as the request of its Open and <paramref name="more"/> say, and no further.</summary>
    /// <returns>N.</returns>
    public virtual int SetAnswer(ReadOnlySpan<int> more)
    {
        var known = PromptLength + Request.AnswerTokenIds.Length;
        Request.AnswerTokenIds.CopyTo(_tokenIds, PromptLength);
        more.CopyTo(_tokenIds.AsSpan(known));
        TokenCount = known + more.Length;
        Known = TokenCount;
        return TokenCount;
    }

    /// <summary>Adopts a token.</summary>
    public virtual void Append(int tokenId)
    {
        _tokenIds[TokenCount++] = tokenId;
        Sampler.Append(tokenId);
    }

    /// <summary>The router knows <paramref name="known"/> tokens; what it knew already, or cannot know, changes nothing.</summary>
    public void Acknowledge(int known) => Known = Math.Max(Known, Math.Min(known, TokenCount));
}
