namespace Parallax.Overlay.Records;

/// <summary>How much a store holds at most. Bytes are <see cref="SignedRecord.Bytes"/>.</summary>
internal sealed record StoreQuotas
{
    public Quota PerPublisher { get; init; } = new(256, 4 << 20);

    public Quota PerKey { get; init; } = new(4096, 16 << 20);

    /// <summary>Of what one caller has sent, whoever published it.</summary>
    public Quota PerSender { get; init; } = new(8192, 16 << 20);

    public Quota InAll { get; init; } = new(65_536, 64 << 20);
}

/// <summary>Records and their bytes.</summary>
internal readonly record struct Quota(int Records, long Bytes);
