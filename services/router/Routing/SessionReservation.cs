using System.Collections.Immutable;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>One session's place at each stage of its path. Released once, however often it is disposed. Thread-safe.</summary>
internal sealed class SessionReservation : ISessionPlaces
{
    private readonly LoadLedger _ledger;

    internal SessionReservation(LoadLedger ledger, ImmutableArray<ShardKey> shards, long kvTokens, int promptTokens)
    {
        _ledger = ledger;
        Shards = shards;
        KvTokens = kvTokens;
        PromptTokens = promptTokens;
    }

    internal ImmutableArray<ShardKey> Shards { get; }

    /// <summary>KV positions at each stage.</summary>
    internal long KvTokens { get; }

    /// <summary>Of the prompt, those that are still to be computed at each stage; the ledger's lock guards it.</summary>
    internal int PromptTokens { get; set; }

    /// <summary>The ledger's lock guards it.</summary>
    internal bool IsReleased { get; set; }

    public void PromptComputed()
    {
        // Looked at without the lock, which is not taken at every token: it never rises.
        if (PromptTokens > 0)
        {
            _ledger.OnPromptComputed(this);
        }
    }

    public void Dispose() => _ledger.Release(this);
}
