namespace Parallax.KvBlocks.Puts;

/// <summary>What came of a part's bytes.</summary>
public enum WriteState : byte
{
    /// <summary>They are there and can be committed.</summary>
    Written = 1,

    /// <summary>There is no such reservation: its time is over, or it never had this part.</summary>
    NotReserved = 2,

    /// <summary>There are more or fewer of them than was reserved.</summary>
    WrongLength = 3,

    /// <summary>Their checksum is another one than was told.</summary>
    WrongChecksum = 4,
}
