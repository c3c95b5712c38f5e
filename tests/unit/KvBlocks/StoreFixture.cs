using Microsoft.Extensions.Time.Testing;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Puts;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.KvBlocks;

/// <summary>A store and short ways to use it. A part's bytes follow from a number.</summary>
internal sealed class StoreFixture(long memory = BlockStoreOptions.LeastMemoryBytes, long disk = 0, TimeProvider? clock = null) : IDisposable
{
    public static readonly TenantId Alice = TenantId.Of("alice");
    public static readonly TenantId Bob = TenantId.Of("bob");

    public BlockStore Store { get; } = new(new BlockStoreOptions { MemoryBytes = memory, DiskBytes = disk }, clock ?? new FakeTimeProvider());

    public static StoreFixture WithClock(out FakeTimeProvider clock)
    {
        clock = new FakeTimeProvider();
        return new StoreFixture(clock: clock);
    }

    public static PartAddress Kv(int block, int layer = 0) => new((UInt128)(uint)block, PartKind.Kv, layer);

    public static byte[] BytesOf(int number, int length)
    {
        var bytes = new byte[length];
        new Random(number).NextBytes(bytes);
        return bytes;
    }

    public WriteState Write(long reservation, PartAddress address, byte[] bytes)
    {
        var payload = Store.Rent(bytes.Length);
        bytes.CopyTo(payload.Span);
        return Store.Write(reservation, address, payload, Crc32C.Compute(bytes));
    }

    /// <summary>Puts a part of a chain whose blocks are numbered; whether it was taken.</summary>
    public bool Put(TenantId tenant, int block, int length, int layer = 0, int previous = 0)
    {
        var address = Kv(block, layer);
        var reserved = Store.Reserve(tenant, [new PartClaim(address, length, (UInt128)(uint)previous)], TimeSpan.FromSeconds(10));
        if (reserved.States[0] != ClaimState.Reserved)
        {
            return false;
        }

        Assert.Equal(WriteState.Written, Write(reserved.Id, address, BytesOf(block, length)));
        return Store.Commit(reserved.Id) == 1;
    }

    /// <summary>A part's bytes; null when it is missing.</summary>
    public byte[]? Read(TenantId tenant, PartAddress address)
    {
        using var part = Store.ReadAsync(tenant, address, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return part?.Payload.Span.ToArray();
    }

    /// <summary>Whether a part is there, without using it.</summary>
    public bool Has(TenantId tenant, PartAddress address)
    {
        var found = new List<ScannedPart>();
        Store.Scan(0, int.MaxValue, found);
        return found.Exists(part => part.Tenant == tenant && part.Address == address);
    }

    public void Dispose() => Store.Dispose();
}
