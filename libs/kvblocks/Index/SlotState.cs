namespace Parallax.KvBlocks.Index;

/// <summary>The life of a slot.</summary>
internal enum SlotState : byte
{
    /// <summary>Nobody's.</summary>
    Free,

    /// <summary>A reservation has it: nobody can read it yet.</summary>
    Reserved,

    /// <summary>A part that can be read, in memory, on disk or both.</summary>
    Stored,
}
