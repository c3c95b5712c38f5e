using Parallax.KvBlocks.Puts;

namespace Parallax.KvClient.Calls;

/// <summary>A part that can be sent.</summary>
internal interface IPartSource
{
    /// <summary>Its address and length.</summary>
    PartClaim Claim { get; }

    /// <summary>Its bytes, until they are disposed of; null when they are not to be had any more.</summary>
    ValueTask<OpenPart?> OpenAsync(CancellationToken cancellationToken);
}
