using Parallax.Contracts.Identifiers;

namespace Parallax.ModelFiles.Fetching;

/// <summary>Somebody who may have a model's files.</summary>
/// <param name="Address">Where it is dialled.</param>
/// <param name="Id">Who it must be; null where that is not known.</param>
public sealed record ModelPeer(Uri Address, PeerId? Id)
{
    /// <inheritdoc/>
    public override string ToString() => Id is { } id ? $"{id.Abbreviated} at {Address.Authority}" : Address.Authority;
}
