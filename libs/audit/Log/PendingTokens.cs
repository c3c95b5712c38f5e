using System.Runtime.InteropServices;
using Parallax.Audit.Events;

namespace Parallax.Audit.Log;

/// <summary>Tokens of one choice that were noted and are in no event yet. Not thread-safe.</summary>
internal sealed class PendingTokens
{
    private readonly List<int> _ids = [];
    private int _first;

    public int Count => _ids.Count;

    /// <summary>Where the answer goes on.</summary>
    public int Next => _first + _ids.Count;

    public void Add(int first, ReadOnlySpan<int> ids)
    {
        if (_ids.Count == 0)
        {
            _first = first;
        }

        _ids.AddRange(ids);
    }

    public TokensEmitted Take(int choice, AuditContents contents)
    {
        var ids = CollectionsMarshal.AsSpan(_ids);
        var taken = new TokensEmitted(choice, _first, ids.Length, contents.Ids(ids), contents.Hash(ids));
        _ids.Clear();
        return taken;
    }
}
