namespace Parallax.Runtime.Blocks;

/// <summary>Why a part is refused.</summary>
public enum BlockPartFault
{
    /// <summary>It is sound.</summary>
    None,

    /// <summary>It has another size than its layer's parts have here.</summary>
    Size,

    /// <summary>Its bytes are not those that the checksum was made of.</summary>
    Checksum,

    /// <summary>It is not in this version's form.</summary>
    Form,

    /// <summary>It is another block's, another layer's or of another kind than asked for.</summary>
    Address,

    /// <summary>Its values have another precision or arrangement than the layer's.</summary>
    Shape,
}
