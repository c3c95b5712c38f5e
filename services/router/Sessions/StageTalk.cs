namespace Parallax.Router.Sessions;

/// <summary>
/// What has been said to one stage of a session's path on the present connection, and what it holds as far as the
/// router knows. Pure; owned by <see cref="SessionCore"/>.
/// </summary>
internal sealed class StageTalk
{
    private bool _opened;         // said on this connection
    private bool _isRepeated;     // that Open was said on an earlier connection, too
    private bool _rejoined;       // said on this connection, or not needed on it
    private int _lowestAsked;     // the lowest n that it can still hold, if an Open got lost
    private int _nextCancel = -1; // cancels go down from Asked
    private int _mirrors;         // the version of them that was said on this connection

    /// <summary>Whether a control stream to the stage is up.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>The incarnation that is connected, or was last.</summary>
    public long Incarnation { get; private set; }

    /// <summary>Whether this incarnation accepted the session at the present epoch.</summary>
    public bool IsAccepted { get; private set; }

    /// <summary>Leading prompt tokens that it has cached.</summary>
    public int CachedPrefix { get; private set; }

    /// <summary>Whether Start was said on this connection.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>Whether it holds nothing of the session any more, or is none of this router's business.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whether it is of no use in this epoch: it lost the session, does not answer, or is broken.</summary>
    public bool IsLost { get; set; }

    /// <summary>Whether its control stream is gone and did not come back at once.</summary>
    public bool IsUnreachable { get; set; }

    /// <summary>The n of the last Open that was said to this incarnation; negative when it never heard of the session.</summary>
    public int Asked { get; private set; } = -1;

    /// <summary>The n of the last Cancel.</summary>
    public int Cancelled { get; private set; }

    /// <summary>Whether every Cancel has been said on this connection.</summary>
    public bool IsCancelSaid => _nextCancel < (_opened ? Asked : _lowestAsked); // an Open on this connection arrives before

    /// <summary>
    /// Whether the stage sends what becomes of the session over this connection. It does after Open and Rejoin only; what
    /// it said before a repeated Open it does not say again.
    /// </summary>
    public bool IsHeard => (_opened && !_isRepeated) || _rejoined;

    /// <summary>A control stream is up: nothing has been said on it.</summary>
    /// <param name="incarnation">Whose.</param>
    /// <param name="repeats">Whether what was said on the connection before is said again.</param>
    /// <returns>Whether the session was accepted by an incarnation that is gone.</returns>
    public bool Connect(long incarnation, bool repeats = true)
    {
        IsConnected = true;
        IsUnreachable = false;
        _mirrors = 0;
        if (repeats)
        {
            _opened = _rejoined = IsStarted = false;
        }

        var lost = IsAccepted && Incarnation != incarnation;
        if (Incarnation != incarnation)
        {
            Asked = -1;
        }

        Incarnation = incarnation;
        _nextCancel = Asked;
        return lost;
    }

    /// <summary>The control stream is gone.</summary>
    public void Disconnect() => IsConnected = false;

    /// <summary>The stage lacks the session.</summary>
    public void Lack(long incarnation) => (Asked, Incarnation) = (-1, incarnation);

    /// <summary>As <see cref="Lack(long)"/>, told by the incarnation that is connected.</summary>
    public void Lack() => Asked = -1;

    /// <summary>The session is to be opened anew at a higher epoch.</summary>
    public void Reopen()
    {
        IsAccepted = IsStarted = IsDone = IsLost = _opened = _rejoined = false;
        _mirrors = 0;
        CachedPrefix = 0;
    }

    /// <summary>The stage accepted at <paramref name="n"/>: it holds nothing lower any more.</summary>
    public void Accept(int n, int cachedPrefix)
    {
        IsAccepted = true;
        _rejoined = !_isRepeated; // else what it said since the first Open may be lost; now it already sends what comes
        CachedPrefix = cachedPrefix;
        _lowestAsked = n;
    }

    /// <summary>The same talk, which goes its own way from here.</summary>
    public StageTalk Clone() => (StageTalk)MemberwiseClone();

    /// <summary>Says all that decides what is said next, for tests that compare states.</summary>
    public void WriteTo(List<long> state)
    {
        ReadOnlySpan<bool> flags =
        [
            _opened, _isRepeated, _rejoined, IsConnected, IsAccepted, IsStarted, IsDone, IsLost, IsUnreachable,
        ];
        var bits = 0L;
        foreach (var flag in flags)
        {
            bits = (bits << 1) + (flag ? 1 : 0);
        }

        state.Add(bits);
        state.Add(_lowestAsked);
        state.Add(_nextCancel);
        state.Add(_mirrors);
        state.Add(Incarnation);
        state.Add(CachedPrefix);
        state.Add(Asked);
        state.Add(Cancelled);
    }

    /// <summary>Something that it sent is missing: it has to send again.</summary>
    public void Miss() => _rejoined = false;

    /// <summary>Open at <paramref name="n"/>, once per connection.</summary>
    public bool SayOpen(int n)
    {
        if (_opened)
        {
            return false;
        }

        _lowestAsked = Asked < 0 ? n : _lowestAsked;
        _isRepeated = Asked == n;
        _opened = true;
        Asked = _nextCancel = n;
        return true;
    }

    /// <summary>Rejoin, once per connection that needs it.</summary>
    public bool SayRejoin() => !_rejoined && (_rejoined = true);

    /// <summary>Start, once per connection: an earlier one may have been lost, and the stage takes only one.</summary>
    public bool SayStart() => !IsStarted && (IsStarted = true);

    /// <summary>The standbys, once per connection and version of them; version 0 is that there were none.</summary>
    public bool SayMirrors(int version)
    {
        if (_mirrors == version)
        {
            return false;
        }

        _mirrors = version;
        return true;
    }

    /// <summary>
    /// Cancel at every epoch that the stage can hold, the highest first: an Open that was under way when an earlier
    /// connection broke may have arrived or not.
    /// </summary>
    public bool SayCancel()
    {
        if (IsCancelSaid)
        {
            return false;
        }

        Cancelled = _nextCancel--;
        return true;
    }
}
