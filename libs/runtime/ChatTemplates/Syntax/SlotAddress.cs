namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>A variable's place: so many frames outwards, then the slot.</summary>
internal readonly record struct SlotAddress(int Hops, int Slot);
