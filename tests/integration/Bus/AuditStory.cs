using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;

namespace Parallax.IntegrationTests.Bus;

/// <summary>Real chains of events, as a router's log hands them on.</summary>
internal sealed class AuditStory(string name, int streams)
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly AuditChain[] _chains =
        [.. Enumerable.Range(0, streams).Select(number => new AuditChain(AuditStreams.Segment($"{name}-{number}", new string('a', 40), 1, number + 1)))];

    private readonly List<ChainedEvent> _told = [];

    /// <summary>All events so far.</summary>
    public IReadOnlyList<ChainedEvent> Told => _told;

    /// <summary>The next events, one stream after the other in turn.</summary>
    public ImmutableArray<ChainedEvent> Next(int count)
    {
        var events = ImmutableArray.CreateBuilder<ChainedEvent>(count);
        for (var i = 0; i < count; i++)
        {
            var chain = _chains[_told.Count % _chains.Length];
            int[] ids = [_told.Count];
            var told = chain.Append(new TokensEmitted(0, (int)chain.Length, 1, [.. ids], ContentHash.Of(ids, default)), At);
            _told.Add(told);
            events.Add(told);
        }

        return events.ToImmutable();
    }
}
