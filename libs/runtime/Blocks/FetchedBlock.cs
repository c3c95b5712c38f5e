using System.Collections.Immutable;

namespace Parallax.Runtime.Blocks;

/// <summary>A block as it came from an exchange: untrusted until each part has been checked.</summary>
/// <param name="Hash">Its hash.</param>
/// <param name="Parts">Its parts in any order.</param>
public sealed record FetchedBlock(UInt128 Hash, ImmutableArray<BlockPart> Parts);
