using Microsoft.Extensions.Time.Testing;
using Parallax.EventStore;
using Parallax.EventStore.Memory;
using Parallax.EventStore.Terms;

namespace Parallax.UnitTests.EventStore;

public sealed class TermLeaseTests : IAsyncDisposable
{
    private const string Stream = "term";
    private static readonly TermLeaseOptions Options = new();

    private readonly WatchedClock _clock = new(Options.RenewPeriod);
    private readonly InMemoryEventStore _store;

    public TermLeaseTests() => _store = new InMemoryEventStore(_clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task TryTake_Free_IsTermOneAndOthersLearnWhoHasIt()
    {
        var (first, second) = (Lease(), Lease());

        await using var held = await first.TryTakeAsync("a", "http://a", Token);
        Assert.Equal(1, held!.Term);
        Assert.True(held.IsHeld);
        Assert.Null(await second.TryTakeAsync("b", "http://b", Token));
        Assert.Equal(new TermHolder(1, "a", "http://a"), second.Holder);
    }

    [Fact]
    public async Task Renewed_StaysForAsLongAsItIsRenewed()
    {
        var waiting = Lease();
        await using var held = await Lease().TryTakeAsync("a", "", Token);
        for (var i = 0; i < 100; i++)
        {
            await _clock.StepAsync(Token);
            Assert.Null(await waiting.TryTakeAsync("b", "", Token));
        }

        Assert.True(held!.IsHeld);
        Assert.InRange((await _store.ReadAsync(Stream, 1, Token).ToListAsync(Token)).Count, 1, 70); // old renewals are forgotten
    }

    [Fact]
    public async Task GivenBack_IsFreeAtOnce()
    {
        var waiting = Lease();
        var held = await Lease().TryTakeAsync("a", "", Token);
        await held!.DisposeAsync();

        Assert.True(held.Lost.IsCancellationRequested);
        Assert.False(held.IsHeld);
        await using var next = await waiting.TryTakeAsync("b", "", Token);
        Assert.Equal(2, next!.Term);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HolderThatCannotRenew_LosesItBeforeAnybodyElseGetsIt(bool hangs)
    {
        var flaky = new FlakyStore(_store);
        var waiting = Lease();
        await using var held = await new TermLease(flaky, Stream, Options, _clock).TryTakeAsync("a", "", Token);
        (flaky.Hangs, flaky.FailsBefore) = (hangs, !hangs);
        HeldTerm? next = null;
        var waited = TimeSpan.Zero;
        while (next is null)
        {
            next = await waiting.TryTakeAsync("b", "", Token);
            Assert.False(next is not null && held!.IsHeld);
            _clock.Advance(Options.PollPeriod);
            waited += Options.PollPeriod;
            Assert.True(waited <= TimeSpan.FromSeconds(3), "nobody took over in 3 s");
        }

        Assert.Equal(2, next.Term);
        Assert.True(held!.Lost.IsCancellationRequested);
        await next.DisposeAsync();
        (flaky.Hangs, flaky.FailsBefore) = (false, false);
    }

    [Fact]
    public async Task RenewalWhoseAnswerGotLost_IsRecognised()
    {
        var flaky = new FlakyStore(_store);
        await using var held = await new TermLease(flaky, Stream, Options, _clock).TryTakeAsync("a", "", Token);
        flaky.FailsAfter = true;
        await _clock.StepAsync(Token);
        Assert.NotNull(held!.Problem);
        flaky.FailsAfter = false;
        for (var i = 0; i < 10; i++)
        {
            await _clock.StepAsync(Token);
        }

        Assert.Null(held.Problem);
        Assert.True(held.IsHeld);
    }

    [Fact]
    public async Task HolderThatWasStopped_KnowsByItsClock()
    {
        var stopped = new FakeTimeProvider();
        var waiting = Lease();
        await using var held = await new TermLease(_store, Stream, Options, stopped).TryTakeAsync("a", "", Token);
        Assert.Null(await waiting.TryTakeAsync("b", "", Token));
        _clock.Advance(Options.Lease);
        await using var next = await waiting.TryTakeAsync("b", "", Token);
        Assert.Equal(2, next!.Term);

        stopped.Advance(Options.Lease); // it goes on, and nothing of it has run yet

        Assert.False(held!.IsHeld);
        await next.DisposeAsync();
        await held.DisposeAsync(); // and does not give back what is no longer its own
        await using var third = await Lease().TryTakeAsync("c", "", Token);
        Assert.Equal(3, third!.Term);
    }

    [Fact]
    public async Task ManyAtOnce_NoTermTwice()
    {
        var terms = new System.Collections.Concurrent.ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(contender => Task.Run(
            async () =>
            {
                var lease = Lease();
                for (var i = 0; i < 20; i++)
                {
                    if (await lease.TryTakeAsync($"{contender}", "", Token) is { } held)
                    {
                        terms.Add(held.Term);
                        await held.DisposeAsync();
                    }
                }
            },
            Token)));

        Assert.NotEmpty(terms);
        Assert.Equal(Enumerable.Range(1, terms.Count).Select(static term => (long)term), terms.Order());
    }

    [Fact]
    public async Task EventThatCannotBeRead_IsNotGuessed()
    {
        await _store.AppendAsync(Stream, 0, [new NewEvent(Guid.NewGuid(), "TermTaken", "{}"u8.ToArray())], Token);

        await Assert.ThrowsAsync<EventStoreException>(() => Lease().TryTakeAsync("a", "", Token));
    }

    private TermLease Lease() => new(_store, Stream, Options, _clock);
}
