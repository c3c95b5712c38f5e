namespace Parallax.KvBlocks.Puts;

/// <summary>What came of a claim.</summary>
public enum ClaimState : byte
{
    /// <summary>There is room for it: write it.</summary>
    Reserved = 1,

    /// <summary>It is there already: there is nothing to write.</summary>
    Present = 2,

    /// <summary>Somebody else is writing it.</summary>
    Busy = 3,

    /// <summary>There is no room: everything is in use, or too much is being written at once.</summary>
    NoRoom = 4,

    /// <summary>No part can have this address or this length.</summary>
    Invalid = 5,
}
