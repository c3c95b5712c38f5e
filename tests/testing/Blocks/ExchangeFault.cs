namespace Parallax.Testing.Blocks;

/// <summary>How a <see cref="MemoryExchange"/> answers.</summary>
public enum ExchangeFault
{
    /// <summary>With all it has.</summary>
    None,

    /// <summary>With the first blocks only.</summary>
    Partial,

    /// <summary>With a bit turned somewhere.</summary>
    Corrupt,

    /// <summary>With a sound part of another layer in a part's place.</summary>
    MixedUp,

    /// <summary>With a block that lacks a layer.</summary>
    Incomplete,

    /// <summary>Not before it is called off.</summary>
    Silent,

    /// <summary>With an exception in mid-chain.</summary>
    Broken,

    /// <summary>With nothing.</summary>
    Empty,
}
