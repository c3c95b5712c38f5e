namespace Parallax.Contracts.Identifiers;

/// <summary>
/// The version of a session's path, compared lexicographically (session protocol, "Quantities"): the term of the
/// router that holds the request, that router's id, and n, which it raises at each change of path.
/// </summary>
public readonly record struct Epoch(long Term, Guid RouterId, int N) : IComparable<Epoch>
{
    /// <inheritdoc/>
    public int CompareTo(Epoch other)
    {
        var byTerm = Term.CompareTo(other.Term);
        if (byTerm != 0)
        {
            return byTerm;
        }

        var byRouter = RouterId.CompareTo(other.RouterId);
        return byRouter != 0 ? byRouter : N.CompareTo(other.N);
    }

    public static bool operator <(Epoch left, Epoch right) => left.CompareTo(right) < 0;

    public static bool operator >(Epoch left, Epoch right) => left.CompareTo(right) > 0;

    public static bool operator <=(Epoch left, Epoch right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Epoch left, Epoch right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => $"({Term},{RouterId:n},{N})";
}
