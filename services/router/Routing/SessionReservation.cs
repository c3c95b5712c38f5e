using System.Collections.Immutable;

namespace Parallax.Router.Routing;

/// <summary>One session's place at each stage of its path. Released once, however often it is disposed. Thread-safe.</summary>
internal sealed class SessionReservation : IDisposable
{
    private readonly LoadLedger _ledger;
    private readonly ImmutableArray<ShardKey> _shards;
    private readonly long _kvTokens;
    private int _released;

    internal SessionReservation(LoadLedger ledger, ImmutableArray<ShardKey> shards, long kvTokens)
    {
        _ledger = ledger;
        _shards = shards;
        _kvTokens = kvTokens;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0)
        {
            _ledger.Release(_shards, _kvTokens);
        }
    }
}
