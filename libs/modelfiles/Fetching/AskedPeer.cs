using Parallax.Contracts.V1;

namespace Parallax.ModelFiles.Fetching;

/// <summary>A peer and what it says it has.</summary>
internal sealed record AskedPeer(ModelPeer Peer, Contracts.V1.ModelFiles.ModelFilesClient Client, ManifestHead Head);
