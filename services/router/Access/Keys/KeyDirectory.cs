namespace Parallax.Router.Access.Keys;

/// <summary>The keys as this router knows them. One follower writes; readers never wait.</summary>
internal sealed class KeyDirectory
{
    private volatile State _state = new(KeyRing.Empty, IsLoaded: false, null);

    /// <summary>The keys.</summary>
    public KeyRing Ring => _state.Ring;

    /// <summary>Whether they, and what they have used today, were read from the store.</summary>
    public bool IsLoaded => _state.IsLoaded;

    /// <summary>Why what is known may be old; null where it is not.</summary>
    public string? Problem => _state.Problem;

    /// <summary>The keys have changed.</summary>
    public void Publish(KeyRing ring) => _state = _state with { Ring = ring };

    /// <summary>All that was in the store is known.</summary>
    public void MarkLoaded() => _state = _state with { IsLoaded = true, Problem = null };

    /// <summary>The store cannot be followed for now: what is known stays.</summary>
    public void MarkOld(string problem) => _state = _state with { Problem = problem };

    private sealed record State(KeyRing Ring, bool IsLoaded, string? Problem);
}
