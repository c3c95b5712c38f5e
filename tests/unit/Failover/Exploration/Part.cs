using System.Runtime.InteropServices;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>
/// A part of a <see cref="World"/>. Worlds share the parts in which they do not differ: a part is cloned before it is changed,
/// and its fingerprint is taken once.
/// </summary>
internal abstract class Part
{
    private UInt128 _print;
    private bool _isPrinted;

    public UInt128 Print(List<long> scratch)
    {
        if (!_isPrinted)
        {
            scratch.Clear();
            WriteTo(scratch);
            _print = Fingerprint.Of(CollectionsMarshal.AsSpan(scratch));
            _isPrinted = true;
        }

        return _print;
    }

    public Part Clone()
    {
        var copy = Copy();
        copy._isPrinted = false;
        return copy;
    }

    /// <summary>Says all that decides what can happen from here on.</summary>
    protected abstract void WriteTo(List<long> state);

    /// <summary>A copy that shares nothing with this part that either of them changes in place.</summary>
    protected virtual Part Copy() => (Part)MemberwiseClone();

    protected static void Write(List<long> state, Contracts.Identifiers.Epoch epoch)
    {
        state.Add(epoch.Term);
        state.Add(epoch.RouterId.GetHashCode());
        state.Add(epoch.N);
    }

    protected static void Write(List<long> state, ReadOnlySpan<int> values)
    {
        state.Add(values.Length);
        foreach (var value in values)
        {
            state.Add(value);
        }
    }
}
