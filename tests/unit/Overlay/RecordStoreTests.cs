using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay;
using Parallax.Overlay.Records;
using Parallax.Testing.Overlay;
using static Parallax.UnitTests.Overlay.TestRecords;

namespace Parallax.UnitTests.Overlay;

public sealed class RecordStoreTests
{
    private static readonly StoreQuotas Wide = new();

    [Fact]
    public void Put_NewerIncarnation_WinsOverHigherSequence()
    {
        var store = Store();
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(Record(1, sequence: 9)), "a", default));
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(Record(1, sequence: 1, incarnation: 2)), "a", default));
        Assert.Equal(OverlayRefusal.Stale, store.Put(Whole(Record(1, sequence: 10)), "a", default));
        Assert.Equal(new RecordVersion(2, 1), Assert.Single(Read(store, default)).Record.Version);
    }

    [Fact]
    public void Put_SameVersionOtherContents_IsStale()
    {
        var store = Store();
        store.Put(Whole(Record(1, 1, valueBytes: 4)), "a", default);
        Assert.Equal(OverlayRefusal.Stale, store.Put(Whole(Record(1, 1, valueBytes: 5)), "a", default));
        Assert.Equal(4, Assert.Single(Read(store, default)).Record.Value.Length);
    }

    [Fact]
    public void Put_SameRecordLater_DoesNotLengthenItsLife()
    {
        var store = Store();
        var record = Record(1, 1);
        store.Put(Whole(record), "a", default);
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(record), "b", TimeSpan.FromSeconds(20)));
        Assert.Equal(TimeSpan.FromSeconds(10), Assert.Single(Read(store, TimeSpan.FromSeconds(20))).Remaining);
        Assert.Empty(Read(store, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Put_RemainingAboveLease_CountsAsTheLease()
    {
        var store = Store();
        store.Put(new HeldRecord(Record(1, 1), TimeSpan.FromHours(2)), "a", default);
        Assert.Equal(Lease, Assert.Single(Read(store, default)).Remaining);
    }

    [Fact]
    public void Put_ExpiredVersionAgain_IsRefused_NewerIsTaken()
    {
        var store = Store();
        var record = Record(1, 1);
        store.Put(Whole(record), "a", default);
        var later = Lease + TimeSpan.FromSeconds(1);
        Assert.Equal(OverlayRefusal.Expired, store.Put(Whole(record), "b", later));
        store.Sweep(later);
        Assert.Equal(OverlayRefusal.Expired, store.Put(Whole(record), "b", later));
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(Record(1, 2)), "b", later));
    }

    [Fact]
    public void Put_NothingLeft_IsExpired() =>
        Assert.Equal(OverlayRefusal.Expired, Store().Put(new HeldRecord(Record(1, 1), TimeSpan.Zero), "a", default));

    [Fact]
    public void Put_Forged_IsRefused_AndHeldRecordStays()
    {
        var store = Store();
        store.Put(Whole(Record(1, 1)), "a", default);
        Assert.Equal(OverlayRefusal.Forged, store.Put(Whole(Forge(Record(1, 2))), "a", default));
        Assert.Equal(1, Assert.Single(Read(store, default)).Record.Version.Sequence);
    }

    [Fact]
    public void Put_ValueAboveTheLimit_IsOversized() =>
        Assert.Equal(OverlayRefusal.Oversized, Store().Put(Whole(Record(1, 1, valueBytes: OverlayLimits.MaxValueBytes + 1)), "a", default));

    [Fact]
    public void Put_FieldsOutOfRange_AreMalformed()
    {
        var store = Store();
        Assert.Equal(OverlayRefusal.Malformed, store.Put(Whole(Record(1, -1)), "a", default));
        Assert.Equal(OverlayRefusal.Malformed, store.Put(Whole(Record(1, 1, incarnation: -1)), "a", default));
        Assert.Equal(OverlayRefusal.Malformed, store.Put(Whole(Record(1, 1, lease: OverlayLimits.MaxLease + TimeSpan.FromSeconds(1))), "a", default));
        var good = Record(1, 1);
        Assert.Equal(OverlayRefusal.Malformed, store.Put(Whole(new SignedRecord(good.Key, good.PublicKey, good.Version, good.Lease, good.Value, new byte[63])), "a", default));
    }

    [Fact]
    public void Put_QuotasUsedUp_AreToldApart()
    {
        var two = new Quota(2, long.MaxValue);
        Assert.Equal(OverlayRefusal.PublisherQuota, ThirdOf(Wide with { PerPublisher = two }, i => Record(1, 1, key: KeyOf(i)), i => $"sender {i}"));
        Assert.Equal(OverlayRefusal.KeyQuota, ThirdOf(Wide with { PerKey = two }, i => Record(i, 1), i => $"sender {i}"));
        Assert.Equal(OverlayRefusal.SenderQuota, ThirdOf(Wide with { PerSender = two }, i => Record(i, 1, key: KeyOf(i)), _ => "one sender"));
        Assert.Equal(OverlayRefusal.StoreFull, ThirdOf(Wide with { InAll = two }, i => Record(i, 1, key: KeyOf(i)), i => $"sender {i}"));
    }

    [Fact]
    public void Put_BytesUsedUp_IsRefused_SmallerReplacementIsTaken()
    {
        var size = Record(1, 1, valueBytes: 1000).Bytes;
        var store = new RecordStore(Wide with { InAll = new Quota(100, size + 10) }, UncheckedSignatures.Verifier);
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(Record(1, 1, valueBytes: 1000)), "a", default));
        Assert.Equal(OverlayRefusal.StoreFull, store.Put(Whole(Record(1, 2, valueBytes: 1011)), "a", default));
        Assert.Equal(OverlayRefusal.StoreFull, store.Put(Whole(Record(2, 1)), "a", default));
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(Record(1, 3, valueBytes: 10)), "a", default));
    }

    [Fact]
    public void Put_OwnRecord_NeedsNoQuota()
    {
        var store = new RecordStore(Wide with { InAll = new Quota(1, long.MaxValue) }, UncheckedSignatures.Verifier);
        store.Put(Whole(Record(1, 1)), "a", default);
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(Record(2, 1)), null, default));
    }

    [Fact]
    public void Sweep_FreesQuotas()
    {
        var store = new RecordStore(Wide with { PerSender = new Quota(1, long.MaxValue) }, UncheckedSignatures.Verifier);
        store.Put(Whole(Record(1, 1)), "a", default);
        store.Sweep(TimeSpan.FromHours(1));
        Assert.Equal((0, 0), (store.Count, store.Bytes));
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(Record(2, 1)), "a", TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Read_InPages_GivesEachPublisherOnceInOrder()
    {
        var store = Store();
        for (var i = 0; i < 50; i++)
        {
            store.Put(Whole(Record(i, 1, valueBytes: 100)), "a", default);
        }

        var (found, after, pages) = (new List<PeerId>(), (PeerId?)null, 0);
        bool more;
        do
        {
            (var page, more) = store.Read(Key, after, maxBytes: 3000, default);
            Assert.True(page.Sum(held => held.Record.Bytes) <= 3000);
            found.AddRange(page.Select(held => held.Record.Publisher));
            after = found[^1];
            pages++;
        }
        while (more);
        Assert.True(pages > 5);
        Assert.Equal(found.Order().Distinct(), found);
        Assert.Equal(50, found.Count);
    }

    [Fact]
    public void Read_RecordLargerThanAPage_ComesAlone()
    {
        var store = Store();
        store.Put(Whole(Record(1, 1, valueBytes: 5000)), "a", default);
        store.Put(Whole(Record(2, 1, valueBytes: 5000)), "a", default);
        var (page, more) = store.Read(Key, null, maxBytes: 10, default);
        Assert.Single(page);
        Assert.True(more);
    }

    [Fact]
    public void Tombstone_TakesTheRecordsPlace_AndIsHandedOn()
    {
        var store = Store();
        store.Put(Whole(Record(1, 1)), "a", default);
        store.Put(Whole(Record(1, 2, valueBytes: 0)), "a", default);
        Assert.True(Assert.Single(Read(store, default)).Record.IsTombstone);
        Assert.Equal(OverlayRefusal.Stale, store.Put(Whole(Record(1, 1)), "b", default));
    }

    [Fact]
    public void TakeUnheard_GivesWhatNobodyHandedOn_Once()
    {
        var store = Store();
        store.Put(Whole(Record(1, 1, lease: TimeSpan.FromHours(1))), "a", default);
        store.Put(Whole(Record(2, 1, lease: TimeSpan.FromHours(1))), "a", default);
        var now = TimeSpan.FromMinutes(11);
        store.Put(new HeldRecord(Record(2, 1, lease: TimeSpan.FromHours(1)), TimeSpan.FromMinutes(40)), "b", now);
        var (key, records) = Assert.Single(store.TakeUnheard(TimeSpan.FromMinutes(1), now, 16));
        Assert.Equal(Key, key);
        Assert.Equal(TimeSpan.FromMinutes(49), Assert.Single(records).Remaining);
        Assert.Empty(store.TakeUnheard(TimeSpan.FromMinutes(1), now, 16));
    }

    [Fact]
    public void RandomHistory_KeepsItsInvariants() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[0, 6], Gen.Int[0, 300], Gen.Int[0, 40], Gen.Bool).Array[1, 120].Sample(steps =>
        {
            var quotas = new StoreQuotas
            {
                PerPublisher = new Quota(3, 2000),
                PerKey = new Quota(4, 2500),
                PerSender = new Quota(6, 3500),
                InAll = new Quota(8, 5000),
            };
            var store = new RecordStore(quotas, UncheckedSignatures.Verifier);
            var now = TimeSpan.Zero;
            var newest = new Dictionary<(OverlayKey, PeerId), (RecordVersion Version, TimeSpan Expires)>();
            foreach (var (publisher, key, sequence, size, pause, forged) in steps)
            {
                now += TimeSpan.FromSeconds(pause);
                if (pause > 20)
                {
                    store.Sweep(now);
                }

                var record = Record(publisher, sequence, valueBytes: size, key: KeyOf(key));
                var refusal = store.Put(Whole(forged && sequence % 3 == 0 ? Forge(record) : record), $"sender {publisher % 2}", now);
                var id = (record.Key, record.Publisher);
                var present = newest.TryGetValue(id, out var known);
                var isForgotten = present && now >= known.Expires + TimeSpan.FromMinutes(10);
                if (refusal == OverlayRefusal.None && (!present || isForgotten || known.Version != record.Version))
                {
                    // Only something newer takes a place.
                    Assert.True(!present || isForgotten || known.Version < record.Version);
                    newest[id] = (record.Version, now + Lease);
                }

                Assert.InRange(store.Count, 0, quotas.InAll.Records);
                Assert.InRange(store.Bytes, 0, quotas.InAll.Bytes);
                Assert.InRange(store.UseOf("sender 0").Records + store.UseOf("sender 1").Records, store.Count, store.Count);
                foreach (var held in store.Keys.ToArray().SelectMany(k => store.Read(k, null, long.MaxValue, now).Records))
                {
                    Assert.True(held.Remaining > TimeSpan.Zero && held.Remaining <= held.Record.Lease);
                    var (version, expires) = newest[(held.Record.Key, held.Record.Publisher)];
                    Assert.Equal(version, held.Record.Version);
                    Assert.True(now + held.Remaining <= expires);
                }
            }
        });

    private static RecordStore Store() => new(Wide, UncheckedSignatures.Verifier);

    private static List<HeldRecord> Read(RecordStore store, TimeSpan now) => store.Read(Key, null, long.MaxValue, now).Records;

    private static OverlayKey KeyOf(int number) => OverlayKey.Of("swarm", $"key {number}");

    private static OverlayRefusal ThirdOf(StoreQuotas quotas, Func<int, SignedRecord> record, Func<int, string> sender)
    {
        var store = new RecordStore(quotas, UncheckedSignatures.Verifier);
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(record(1)), sender(1), default));
        Assert.Equal(OverlayRefusal.None, store.Put(Whole(record(2)), sender(2), default));
        return store.Put(Whole(record(3)), sender(3), default);
    }
}
