using System.Collections.Immutable;
using Parallax.Audit.Events;
using Parallax.Contracts.Identifiers;

namespace Parallax.Audit.Verify;

/// <summary>What a verification compares with, beside the events themselves.</summary>
public sealed record VerifyOptions
{
    /// <summary>The swarm that writers must be members of; null asks for none.</summary>
    public PeerId? Swarm { get; init; }

    /// <summary>Ids of the keys that may write; empty takes any.</summary>
    public ImmutableHashSet<string> Writers { get; init; } = [];

    /// <summary>Heads that an earlier verification saw.</summary>
    public ImmutableArray<StreamHead> Remembered { get; init; } = [];

    /// <summary>Findings that are told in full, and as many notes; more are counted.</summary>
    public int MaxFindings { get; init; } = 1000;

    /// <summary>How long events that checkpoints list already may take to arrive, where routers are writing at the same time.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);
}
