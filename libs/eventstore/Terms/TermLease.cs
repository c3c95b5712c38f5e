namespace Parallax.EventStore.Terms;

/// <summary>
/// A lease that at most one of several processes holds, with a term that rises at each change of hands: events of one stream,
/// and compare-and-set alone. Not thread-safe: one loop looks and takes.
/// </summary>
/// <remarks>
/// No clock is compared with another's. Whoever waits measures, by its own clock, for how long the stream has had no new
/// event since it first saw the last one; the holder measures from before it wrote that event. So the holder's time is
/// over before anybody else's is, as long as the clocks run at the same speed. A holder that was stopped for longer than its lease
/// finds its next renewal refused; until then it must look at <see cref="HeldTerm.IsHeld"/>, and what it writes meanwhile must be
/// fenced by the term.
/// </remarks>
public sealed class TermLease
{
    private readonly IEventStore _store;
    private readonly string _stream;
    private readonly TermLeaseOptions _options;
    private readonly TimeProvider _clock;
    private StoredEvent? _last;
    private long _seenAt;

    /// <param name="store">Where the lease lives.</param>
    /// <param name="stream">Its stream.</param>
    /// <param name="options">Times.</param>
    /// <param name="clock">Measures them.</param>
    public TermLease(IEventStore store, string stream, TermLeaseOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        AppendChecks.RequireName(stream, nameof(stream));
        _store = store;
        _stream = stream;
        _options = options;
        _clock = clock;
    }

    /// <summary>Who holds the lease as far as the last look told; null: nobody, or not looked yet.</summary>
    public TermHolder? Holder { get; private set; }

    /// <summary>Looks once, and takes the lease if it is free.</summary>
    /// <param name="id">The taker's id.</param>
    /// <param name="address">Where it is reached; may be empty.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The term, which renews itself until it is disposed of or lost; null when somebody else holds the lease.</returns>
    public async Task<HeldTerm?> TryTakeAsync(string id, string address, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        ArgumentNullException.ThrowIfNull(address);
        var seen = false;
        await foreach (var stored in _store.ReadAsync(_stream, (_last?.Version ?? 0) + 1, cancellationToken))
        {
            _last = stored;
            seen = true;
        }

        if (seen)
        {
            _seenAt = _clock.GetTimestamp();
        }

        var last = _last is null ? null : TermEntry.Read(_last);
        var isFree = _last is null || _last.Type == TermEntry.Released || _clock.GetElapsedTime(_seenAt) >= _options.Lease;
        Holder = isFree || last is null ? null : new TermHolder(last.Term, last.Holder, last.Address);
        if (!isFree)
        {
            return null;
        }

        var startedAt = _clock.GetTimestamp();
        var entry = new TermEntry((last?.Term ?? 0) + 1, id, address);
        var taken = await _store.AppendAsync(_stream, _last?.Version ?? StreamVersion.Empty, [entry.ToEvent(TermEntry.Taken)], cancellationToken);
        if (taken is not AppendResult.Appended appended)
        {
            return null; // somebody was faster
        }

        Holder = new TermHolder(entry.Term, id, address);
        return new HeldTerm(_store, _stream, entry, appended.Version, startedAt, _options, _clock);
    }
}
