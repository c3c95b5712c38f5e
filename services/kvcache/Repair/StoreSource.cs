using Parallax.KvBlocks;
using Parallax.KvBlocks.Puts;
using Parallax.KvClient.Calls;

namespace Parallax.KvCache.Repair;

/// <summary>A part of the own store, read when it is sent: it may be gone by then.</summary>
internal sealed class StoreSource(BlockStore store, ScannedPart part) : IPartSource
{
    public PartClaim Claim { get; } = new(part.Address, part.Length, part.Previous);

    public async ValueTask<OpenPart?> OpenAsync(CancellationToken cancellationToken) =>
        await store.ReadAsync(part.Tenant, part.Address, cancellationToken) is { } found ? new OpenPart(found.Payload.Memory, found.Checksum, found) : null;
}
