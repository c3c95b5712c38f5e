using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Parallax.Audit.Chain;
using Parallax.EventStore;
using Parallax.EventStore.Memory;
using Parallax.Scheduler.Audit;
using static Parallax.UnitTests.Bus.AuditEvents;

namespace Parallax.UnitTests.Bus;

public sealed class AuditIntakeTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly InMemoryEventStore _store = new(TimeProvider.System);
    private readonly FakeTimeProvider _clock = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly AuditIntake _intake;

    public AuditIntakeTests() =>
        _intake = new AuditIntake(_store, _clock, new AuditInstruments(_services.GetRequiredService<IMeterFactory>()), NullLogger<AuditIntake>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Store_RunsInTheWrongOrder_WaitForEachOther()
    {
        var events = Chain(OneStream, 9);
        var last = StoreAsync(events[6..]);
        var middle = StoreAsync(events[3..6]);
        Assert.False(last.IsCompleted || middle.IsCompleted);
        await StoreAsync(events[..3]);
        await Task.WhenAll(middle, last);
        await HasAsync(events);
    }

    [Fact]
    public async Task Store_PredecessorsDoNotCome_IsRejectedAsAGapAndNobodyWaitsAgain()
    {
        var events = Chain(OneStream, 4);
        var waiting = StoreAsync(events[2..3]);
        while (!waiting.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        var rejected = await Assert.ThrowsAsync<AuditRejectedException>(() => waiting);
        Assert.Equal((AuditRejection.Gap, OneStream), (rejected.Kind, rejected.Stream));
        _intake.GiveUp(OneStream);
        Assert.Equal(AuditRejection.Gap, (await Assert.ThrowsAsync<AuditRejectedException>(() => StoreAsync(events[3..]))).Kind);

        await StoreAsync(events); // what comes after all is stored
        await HasAsync(events);
    }

    [Fact]
    public async Task Store_AnotherEventAtAPlace_IsAForkAndTheOtherStreamsAreStored()
    {
        var events = Chain(OneStream, 3);
        await StoreAsync(events);
        var forked = new AuditChain(OneStream, 2, events[1].Hash).Append(new Parallax.Audit.Events.RequestCancelled(99), DateTimeOffset.UnixEpoch);
        var other = Chain(AuditStreams.Writer(new string('b', 40), 1), 2);

        var rejected = await Assert.ThrowsAsync<AuditRejectedException>(() => StoreAsync([forked, .. other]));
        Assert.Equal(AuditRejection.Fork, rejected.Kind);
        await HasAsync(events);
        await HasAsync(other);
    }

    [Fact]
    public async Task Store_StoreIsAway_WaitsUntilItIsBack()
    {
        var events = Chain(OneStream, 2);
        var broken = new BrokenStore(_store, failures: 3);
        var intake = new AuditIntake(broken, _clock, new AuditInstruments(_services.GetRequiredService<IMeterFactory>()), NullLogger<AuditIntake>.Instance);
        var storing = intake.StoreAsync(AuditBatchCheck.Read(Batch(events)), TimeSpan.Zero, Token);
        while (!storing.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        await storing;
        await HasAsync(events);
    }

    /// <summary>However often and however cut events come, each is stored once and in order.</summary>
    [Fact]
    public async Task Store_AnyCutsAndRepeats_AreStoredOnce()
    {
        await Gen.Int[0, 11].SelectMany(static from => Gen.Int[from + 1, 12].Select(to => (from, to))).Array[1, 20].SampleAsync(
            async cuts =>
            {
                await using var store = new InMemoryEventStore(TimeProvider.System);
                var intake = new AuditIntake(store, TimeProvider.System, new AuditInstruments(_services.GetRequiredService<IMeterFactory>()), NullLogger<AuditIntake>.Instance);
                var events = Chain(OneStream, 12);
                await Task.WhenAll(cuts.Append((from: 0, to: 12)).Select(cut => intake.StoreAsync(AuditBatchCheck.Read(Batch(events[cut.from..cut.to])), Patience, Token)));
                var stored = await ReadAsync(store, OneStream);
                Assert.Equal(events.Select(static one => one.Id), stored.Select(static one => one.Id));
            },
            iter: 100,
            threads: 1);
    }

    private Task StoreAsync(params ImmutableArray<ChainedEvent> events) => _intake.StoreAsync(AuditBatchCheck.Read(Batch(events)), Patience, Token);

    private async Task HasAsync(ImmutableArray<ChainedEvent> events) =>
        Assert.Equal(events.Select(static one => one.Id), (await ReadAsync(_store, events[0].Stream)).Select(static one => one.Id));

    private static async Task<List<StoredEvent>> ReadAsync(InMemoryEventStore store, string stream)
    {
        var stored = new List<StoredEvent>();
        await foreach (var one in store.ReadAsync(stream, 1, Token))
        {
            stored.Add(one);
        }

        return stored;
    }
}
