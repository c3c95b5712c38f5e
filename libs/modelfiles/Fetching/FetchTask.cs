using System.Collections.Immutable;

namespace Parallax.ModelFiles.Fetching;

/// <summary>Chunks to be read from a peer in one stream.</summary>
/// <param name="Peer">The peer's index.</param>
/// <param name="Chunks">Chunks of one file, ascending.</param>
internal sealed record FetchTask(int Peer, ImmutableArray<int> Chunks);
