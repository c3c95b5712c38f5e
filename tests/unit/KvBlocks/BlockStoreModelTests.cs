using System.Buffers.Binary;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Puts;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.KvBlocks;

/// <summary>Any calls in any order against <see cref="StoreModel"/>: who stays, who goes, who has to wait.</summary>
public sealed class BlockStoreModelTests
{
    private const long Budget = BlockStoreOptions.LeastMemoryBytes;
    private const int Chains = 3;
    private const int Blocks = 5;
    private const int Layers = 2;

    private static readonly Gen<Step> GenStep = Gen.Select(
        Gen.Int[0, 11], Gen.Int[0, 2], Gen.Int[0, Chains - 1], Gen.Int[0, Blocks - 1], Gen.Int[1, 4], Gen.Int[0, 1000], static (kind, tenant, chain, block, count, amount) =>
            new Step(kind, tenant, chain, block, count, amount));

    [Fact]
    public void AnyCalls_DoWhatTheModelDoes() => GenStep.Array[1, 120].Sample(Run, iter: 200);

    private static void Run(Step[] steps)
    {
        var clock = new FakeTimeProvider();
        using var store = new BlockStore(new BlockStoreOptions { MemoryBytes = Budget, TenantIdleAfter = TimeSpan.FromMinutes(2) }, clock);
        var model = new StoreModel(Budget, TimeSpan.FromMinutes(2));
        var puts = new List<(long Store, long Model, PartClaim[] Claims)>();
        var leases = new List<(long Store, long Model)>();
        var value = 0L;
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            var tenant = new TenantId((UInt128)(step.Tenant + 1));
            switch (step.Kind)
            {
                case < 5:
                    {
                        var claims = Claims(step);
                        var reserved = store.Reserve(tenant, claims, Lease(step));
                        Assert.Equal(model.Reserve(i + 1, tenant, claims, Lease(step)), reserved.States);
                        if (reserved.Id != 0)
                        {
                            puts.Add((reserved.Id, i + 1, claims));
                        }

                        break;
                    }

                case < 8 when puts.Count > 0:
                    {
                        var put = puts[step.Amount % puts.Count];
                        puts.Remove(put);
                        foreach (var claim in put.Claims.Skip(step.Amount % 5 == 0 ? 1 : 0))
                        {
                            value++;
                            var payload = store.Rent(claim.Length);
                            BinaryPrimitives.WriteInt64LittleEndian(payload.Span, value);
                            _ = store.Write(put.Store, claim.Address, payload, Crc32C.Compute(payload.Span));
                            model.Write(put.Model, claim.Address, value);
                        }

                        if (step.Amount % 7 == 0)
                        {
                            store.Cancel(put.Store);
                            model.Cancel(put.Model);
                        }
                        else
                        {
                            Assert.Equal(model.Commit(put.Model), store.Commit(put.Store));
                        }

                        break;
                    }

                case 8:
                    {
                        var addresses = Claims(step).Select(static claim => claim.Address).ToArray();
                        var held = store.Acquire(tenant, addresses, Lease(step));
                        Assert.Equal(model.Acquire(i + 1, tenant, addresses, Lease(step)), held.Held);
                        leases.Add((held.Id, i + 1));
                        break;
                    }

                case 9 when leases.Count > 0:
                    {
                        var lease = leases[step.Amount % leases.Count];
                        leases.Remove(lease);
                        store.Release(lease.Store);
                        model.Release(lease.Model);
                        break;
                    }

                case 10:
                    {
                        var chain = Enumerable.Range(0, step.Count).Select(block => HashOf(step.Chain, block)).ToArray();
                        var query = new ChainQuery(0, 1 + (step.Amount % Layers), step.Amount % 3 == 0);
                        var expected = model.Lookup(tenant, chain, query);
                        var found = store.Lookup(tenant, chain, query);
                        Assert.Equal(expected, found.Whole.Cast<bool>());
                        Assert.Equal(expected.TakeWhile(static whole => whole).Count(), found.Leading);
                        break;
                    }

                default:
                    clock.Advance(TimeSpan.FromMilliseconds(step.Amount * 60));
                    model.Now += TimeSpan.FromMilliseconds(step.Amount * 60);
                    break;
            }

            Compare(store, model);
        }
    }

    private static void Compare(BlockStore store, StoreModel model)
    {
        var scanned = new List<ScannedPart>();
        var at = 0;
        do
        {
            at = store.Scan(at, 7, scanned);
        }
        while (at > 0);

        Assert.Equal(model.Stored.ToHashSet(), scanned.Select(static part => (part.Tenant, part.Address)).ToHashSet());
        var statistics = store.Statistics;
        Assert.Equal(model.Used, statistics.MemoryBytes);
        Assert.True(statistics.MemoryBytes <= Budget);
        Assert.Equal(scanned.Count, statistics.Parts);
        foreach (var part in scanned)
        {
            using var found = store.ReadAsync(part.Tenant, part.Address, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            Assert.Equal(model.Read(part.Tenant, part.Address), BinaryPrimitives.ReadInt64LittleEndian(found!.Payload.Span));
        }
    }

    private static TimeSpan Lease(Step step) => TimeSpan.FromSeconds(1 + (step.Amount % 50));

    private static UInt128 HashOf(int chain, int block) => (UInt128)((chain * 100) + block + 1);

    private static PartClaim[] Claims(Step step) =>
    [
        .. Enumerable.Range(0, step.Count).Select(i =>
        {
            var (block, layer) = ((step.Block + (i / Layers)) % Blocks, i % Layers);
            var kind = step.Amount % 4 == 0 && layer == Layers - 1 ? PartKind.Outputs : PartKind.Kv;
            return new PartClaim(
                new PartAddress(HashOf(step.Chain, block), kind, layer), 200_000 + (100_000 * ((block + layer) % 8)), block == 0 ? 0 : HashOf(step.Chain, block - 1));
        }),
    ];

    private sealed record Step(int Kind, int Tenant, int Chain, int Block, int Count, int Amount);
}
