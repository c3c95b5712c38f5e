namespace Parallax.Transport.Flow;

/// <summary>What a journal gets when it wants a spilled chunk.</summary>
internal enum SpillAccess
{
    /// <summary>Its bytes are in memory, and stay there until it is no longer wanted.</summary>
    AtHand,

    /// <summary>It is being read back; the spill's wake tells when.</summary>
    OnItsWay,

    /// <summary>It is not to be had any more.</summary>
    Lost,
}
