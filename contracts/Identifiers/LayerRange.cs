namespace Parallax.Contracts.Identifiers;

/// <summary>Decoder layers [<paramref name="Start"/>, <paramref name="End"/>) of a model.</summary>
/// <param name="Start">First layer, counted from 0.</param>
/// <param name="End">One past the last layer.</param>
public readonly record struct LayerRange(int Start, int End)
{
    /// <summary>Number of layers in the range.</summary>
    public int Count => End - Start;

    /// <summary>Whether <paramref name="layer"/> lies in the range.</summary>
    public bool Contains(int layer) => layer >= Start && layer < End;

    /// <inheritdoc/>
    public override string ToString() => $"[{Start},{End})";
}
