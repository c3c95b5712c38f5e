using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;

namespace Parallax.Audit.Log;

/// <summary>A segment that is being written: its chain, and tokens that are in no event yet. Not thread-safe.</summary>
internal sealed class OpenStream(AuditChain chain)
{
    private readonly SortedDictionary<int, PendingTokens> _pending = [];

    public AuditChain Chain { get; } = chain;

    /// <summary>Tokens of all choices, in events or not.</summary>
    public int Tokens { get; set; }

    /// <summary>Notes tokens; the event that is to be appended for them now, if any.</summary>
    public ImmutableArray<TokensEmitted> Note(int choice, int first, ReadOnlySpan<int> ids, int tokensAnEvent, AuditContents contents)
    {
        if (!_pending.TryGetValue(choice, out var pending))
        {
            pending = _pending[choice] = new PendingTokens();
        }

        var before = pending.Count > 0 && pending.Next != first ? [pending.Take(choice, contents)] : ImmutableArray<TokensEmitted>.Empty;
        pending.Add(first, ids);
        Tokens += ids.Length;
        return pending.Count >= tokensAnEvent ? [.. before, pending.Take(choice, contents)] : before;
    }

    /// <summary>Events of all tokens that are in none.</summary>
    public IEnumerable<TokensEmitted> Flush(AuditContents contents)
    {
        foreach (var (choice, pending) in _pending)
        {
            if (pending.Count > 0)
            {
                yield return pending.Take(choice, contents);
            }
        }
    }
}
