using Parallax.KvBlocks.Puts;

namespace Parallax.KvClient.Calls;

/// <summary>A part in the caller's memory.</summary>
internal sealed class MemorySource(PartToPut part) : IPartSource
{
    public PartClaim Claim { get; } = new(part.Address, part.Payload.Length, part.Previous);

    public ValueTask<OpenPart?> OpenAsync(CancellationToken cancellationToken) => new(new OpenPart(part.Payload, part.Checksum, null));
}
