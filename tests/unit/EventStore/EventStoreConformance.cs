using System.Collections.Immutable;
using System.Text;
using Parallax.EventStore;

namespace Parallax.UnitTests.EventStore;

/// <summary>What any event store must do. Every implementation passes all of it.</summary>
public abstract class EventStoreConformance : IAsyncLifetime
{
    protected static readonly DateTimeOffset Start = new(2030, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    private IEventStore? _store;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected IEventStore Store => _store!;

    public async ValueTask InitializeAsync() => _store = await CreateAsync(new FixedClock());

    public async ValueTask DisposeAsync()
    {
        if (_store is not null) // else it was skipped
        {
            await _store.DisposeAsync();
        }

        await CleanUpAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Append_ToAnEmptyStream_CountsVersionsFromOne()
    {
        Assert.Equal(2, (await AppendedAsync("a", StreamVersion.Empty, Event("x"), Event("y"))).Version);
        Assert.Equal(3, (await AppendedAsync("a", 2, Event("z"))).Version);
        Assert.Equal(1, (await AppendedAsync("b", StreamVersion.Empty, Event("w"))).Version);

        Assert.Equal(["1 x", "2 y", "3 z"], await TextsAsync("a", 1));
        Assert.Equal(["1 w"], await TextsAsync("b", 1));
    }

    [Fact]
    public async Task Append_WhatIsRead_IsWhatWasAppended()
    {
        var payload = "{\"a\":1}"u8.ToArray();
        var added = new NewEvent(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), "Täten", payload);
        var appended = await AppendedAsync("ström", 0, added);
        payload[0] = 0; // the store has its own copy

        var stored = Assert.Single(await ReadAsync("ström", 1));
        Assert.Equal(("ström", 1, appended.Position, added.Id, "Täten"), (stored.Stream, stored.Version, stored.Position, stored.Id, stored.Type));
        Assert.Equal("{\"a\":1}", Encoding.UTF8.GetString(stored.Payload.Span));
        Assert.Equal(Start, stored.RecordedAt);
    }

    [Fact]
    public async Task Append_EmptyPayload_IsKept()
    {
        await AppendedAsync("a", 0, new NewEvent(Guid.NewGuid(), "t", ReadOnlyMemory<byte>.Empty));
        Assert.Equal(0, Assert.Single(await ReadAsync("a", 1)).Payload.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(long.MaxValue)]
    public async Task Append_AtAnotherVersion_IsAConflictAndAppendsNothing(long expected)
    {
        await AppendedAsync("a", 0, Event("x"), Event("y"));

        Assert.Equal(new AppendResult.Conflict(2), await Store.AppendAsync("a", expected, [Event("z"), Event("w")], Token));
        Assert.Equal(["1 x", "2 y"], await TextsAsync("a", 1));
        Assert.Equal(new AppendResult.Conflict(0), await Store.AppendAsync("new", 1, [Event("z")], Token));
    }

    [Fact]
    public async Task Append_AtAnyVersion_Appends()
    {
        await AppendedAsync("a", StreamVersion.Any, Event("x"));
        Assert.Equal(2, (await AppendedAsync("a", StreamVersion.Any, Event("y"))).Version);
    }

    [Fact]
    public async Task Append_Repeated_AnswersAsThenAndAppendsNothing()
    {
        ImmutableArray<NewEvent> events = [Event("x"), Event("y")];
        var first = await AppendedAsync("a", 0, [.. events]);
        await AppendedAsync("a", 2, Event("z"));
        await AppendedAsync("b", 0, Event("w"));

        Assert.Equal(first with { IsRepeat = true }, await Store.AppendAsync("a", 0, events, Token));
        Assert.Equal(first with { IsRepeat = true }, await Store.AppendAsync("a", StreamVersion.Any, events, Token));
        Assert.Equal(["1 x", "2 y", "3 z"], await TextsAsync("a", 1));
    }

    [Fact]
    public async Task Append_IdOfAnotherEvent_IsRefusedAndAppendsNothing()
    {
        var known = Event("x");
        var next = Event("y");
        await AppendedAsync("a", 0, known, next);

        await RefusedAsync("b", known); // another stream
        await RefusedAsync("a", known, Event("new")); // only a part was there
        await RefusedAsync("a", Event("new"), known);
        await RefusedAsync("a", next, known); // another order
        await RefusedAsync("a", known with { Type = "other" });
        await RefusedAsync("a", known with { Payload = "other"u8.ToArray() });
        Assert.Equal(["1 x", "2 y"], await TextsAsync("a", 1));
        Assert.Empty(await ReadAsync("b", 1));

        async Task RefusedAsync(string stream, params ImmutableArray<NewEvent> events) =>
            await Assert.ThrowsAsync<EventIdTakenException>(() => Store.AppendAsync(stream, StreamVersion.Any, events, Token));
    }

    [Fact]
    public async Task Append_BeyondLimits_IsRefusedAndAppendsNothing()
    {
        var same = Event("x");
        await RefusedAsync("", 0, Event("x"));
        await RefusedAsync(new string('a', EventStoreLimits.MaxNameBytes + 1), 0, Event("x"));
        await RefusedAsync(new string('ä', (EventStoreLimits.MaxNameBytes / 2) + 1), 0, Event("x"));
        await RefusedAsync("a\0b", 0, Event("x"));
        await RefusedAsync("a\ud800", 0, Event("x"));
        await RefusedAsync("a", 0, Event("x") with { Type = "\0" });
        await RefusedAsync("a", -2, Event("x"));
        await RefusedAsync("a", 0);
        await RefusedAsync("a", 0, same, same);
        await RefusedAsync("a", 0, Event("x") with { Type = "" });
        await RefusedAsync("a", 0, Event("x") with { Type = new string('t', EventStoreLimits.MaxNameBytes + 1) });
        await RefusedAsync("a", 0, Event("x") with { Payload = new byte[EventStoreLimits.MaxPayloadBytes + 1] });
        await RefusedAsync("a", 0, [.. Enumerable.Range(0, EventStoreLimits.MaxEventsPerAppend + 1).Select(static _ => Event("x"))]);
        var half = new byte[EventStoreLimits.MaxPayloadBytes];
        await RefusedAsync("a", 0, Event("x") with { Payload = half }, Event("x") with { Payload = half }, Event("x") with { Payload = new byte[1] });
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.AppendAsync("a", 0, default, Token));
        Assert.Empty(await ReadAllAsync(0));

        async Task RefusedAsync(string stream, long expected, params ImmutableArray<NewEvent> events) =>
            await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.AppendAsync(stream, expected, events, Token));
    }

    [Fact]
    public async Task Append_AtTheLimits_IsKept()
    {
        var name = new string('a', EventStoreLimits.MaxNameBytes);
        var payload = new byte[EventStoreLimits.MaxPayloadBytes];
        payload[^1] = 7;
        await AppendedAsync(name, 0, [.. Enumerable.Range(0, EventStoreLimits.MaxEventsPerAppend).Select(static i => Event($"{i}"))]);
        await AppendedAsync("large", 0, Event("x") with { Payload = payload }, Event("x") with { Payload = payload });

        Assert.Equal(Enumerable.Range(0, EventStoreLimits.MaxEventsPerAppend).Select(static i => $"{i + 1} {i}"), await TextsAsync(name, 1));
        Assert.All(await ReadAsync("large", 1), stored => Assert.Equal(7, stored.Payload.Span[^1]));
        Assert.Equal(EventStoreLimits.MaxEventsPerAppend + 2, (await ReadAllAsync(0)).Count);
    }

    [Fact]
    public async Task Read_FromAVersion_IsTheRest()
    {
        await AppendedAsync("a", 0, Event("x"), Event("y"), Event("z"));

        Assert.Equal(["2 y", "3 z"], await TextsAsync("a", 2));
        Assert.Empty(await ReadAsync("a", 4));
        Assert.Equal(3, (await ReadAsync("a", -5)).Count);
        Assert.Empty(await ReadAsync("unknown", 1));
    }

    [Fact]
    public async Task ReadAll_BehindAPosition_IsInTheOrderOfAppending()
    {
        await AppendedAsync("a", 0, Event("1"), Event("2"));
        var third = await AppendedAsync("b", 0, Event("3"));
        await AppendedAsync("a", 2, Event("4"));

        var all = await ReadAllAsync(0);
        Assert.Equal(["1", "2", "3", "4"], all.Select(static stored => stored.Type));
        Assert.Equal(all.Select(static stored => stored.Position).Order().Distinct(), all.Select(static stored => stored.Position));
        Assert.Equal(["4"], (await ReadAllAsync(third.Position)).Select(static stored => stored.Type));
    }

    [Fact]
    public async Task Append_ManyAtOnce_EveryVersionIsWonOnce()
    {
        const int Writers = 4;
        const int Each = 12;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(
            async () =>
            {
                var (version, done) = (0L, 0);
                while (done < Each)
                {
                    switch (await Store.AppendAsync("a", version, [Event($"{writer}")], Token))
                    {
                        case AppendResult.Appended appended:
                            Assert.Equal(version + 1, appended.Version);
                            (version, done) = (appended.Version, done + 1);
                            break;
                        case AppendResult.Conflict conflict:
                            Assert.True(conflict.ActualVersion > version);
                            version = conflict.ActualVersion;
                            break;
                    }
                }
            },
            Token)));

        var all = await ReadAsync("a", 1);
        Assert.Equal(Enumerable.Range(1, Writers * Each).Select(static i => (long)i), all.Select(static stored => stored.Version));
        Assert.All(Enumerable.Range(0, Writers), writer => Assert.Equal(Each, all.Count(stored => stored.Type == $"{writer}")));
    }

    [Fact]
    public async Task Subscribe_CatchesUpAndGoesOn_EachOnceInOrder()
    {
        await AppendedAsync("a", 0, Event("0"), Event("1"));
        var seen = new List<string>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var caughtUp = new TaskCompletionSource();
        var subscriber = Task.Run(
            async () =>
            {
                await foreach (var stored in Store.SubscribeAsync(0, end.Token))
                {
                    seen.Add(stored.Type);
                    if (seen.Count == 2)
                    {
                        caughtUp.SetResult();
                    }
                    else if (seen.Count == 302)
                    {
                        return;
                    }
                }
            },
            Token);
        await caughtUp.Task.WaitAsync(Token);
        for (var i = 2; i < 302; i += 3)
        {
            await AppendedAsync($"s{i % 7}", StreamVersion.Any, Event($"{i}"), Event($"{i + 1}"), Event($"{i + 2}"));
        }

        await subscriber.WaitAsync(Token);
        Assert.Equal(Enumerable.Range(0, 302).Select(static i => $"{i}"), seen);
    }

    [Fact]
    public async Task Subscribe_Cancelled_Ends()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var subscriber = Task.Run(
            async () =>
            {
                await foreach (var stored in Store.SubscribeAsync(0, end.Token))
                {
                    Assert.Fail(stored.Type);
                }
            },
            Token);
        await end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => subscriber);
    }

    [Fact]
    public async Task Trim_ForgetsOldEventsAndNeverTheLast()
    {
        var first = Event("x");
        await AppendedAsync("a", 0, first, Event("y"), Event("z"));
        await AppendedAsync("b", 0, Event("w"));

        Assert.Equal(0, await Store.TrimAsync("unknown", 5, Token));
        Assert.Equal(0, await Store.TrimAsync("a", 1, Token));
        Assert.Equal(1, await Store.TrimAsync("a", 2, Token));
        Assert.Equal(["2 y", "3 z"], await TextsAsync("a", 1));
        Assert.Equal(1, await Store.TrimAsync("a", long.MaxValue, Token));
        Assert.Equal(["3 z"], await TextsAsync("a", 1));
        Assert.Equal(["z", "w"], (await ReadAllAsync(0)).Select(static stored => stored.Type));
        Assert.Equal(4, (await AppendedAsync("a", 3, first)).Version); // its id is forgotten, too
        Assert.Equal(new AppendResult.Conflict(4), await Store.AppendAsync("a", 0, [Event("v")], Token));
    }

    [Fact]
    public async Task Delete_ForgetsAStreamWhole_AndItBeginsAnew()
    {
        var first = Event("x");
        await AppendedAsync("a", 0, first, Event("y"));
        var other = await AppendedAsync("b", 0, Event("w"));

        Assert.Equal(0, await Store.DeleteAsync("unknown", Token));
        Assert.Equal(2, await Store.DeleteAsync("a", Token));
        Assert.Equal(0, await Store.DeleteAsync("a", Token));
        Assert.Empty(await ReadAsync("a", 1));
        Assert.Equal(["w"], (await ReadAllAsync(0)).Select(static stored => stored.Type));
        Assert.Equal(new AppendResult.Conflict(0), await Store.AppendAsync("a", 2, [Event("z")], Token));

        var again = await AppendedAsync("a", 0, first); // its id is forgotten, too
        Assert.Equal(1, again.Version);
        Assert.True(again.Position > other.Position);
        Assert.Equal(["w", "x"], (await ReadAllAsync(0)).Select(static stored => stored.Type));
    }

    [Fact]
    public async Task Delete_OfTheNewestStream_PositionsGoOnRising()
    {
        var last = await AppendedAsync("a", 0, Event("x"));
        await Store.DeleteAsync("a", Token);

        Assert.True((await AppendedAsync("b", 0, Event("y"))).Position > last.Position);
    }

    [Fact]
    public async Task Append_ManyCallsAtOnce_EachHasItsOwnOutcome()
    {
        var (known, repeated, twice) = (Event("known"), Event("repeated"), Event("twice"));
        await AppendedAsync("known", 0, known);
        var then = await AppendedAsync("repeated", 0, repeated);
        var calls = new List<Task>();
        for (var i = 0; i < 40; i++)
        {
            var stream = $"good{i}";
            calls.Add(Expect(new AppendResult.Conflict(1), Store.AppendAsync("known", 0, [Event("late")], Token)));
            calls.Add(Assert.ThrowsAsync<EventIdTakenException>(() => Store.AppendAsync(stream, StreamVersion.Any, [Event("new"), known], Token)));
            calls.Add(Expect(then with { IsRepeat = true }, Store.AppendAsync("repeated", 0, [repeated], Token)));
            calls.Add(AppendedAsync(stream, 0, Event($"{i}"), Event($"{i}")));
        }

        var both = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Store.AppendAsync("twice", 0, [twice], Token)));
        await Task.WhenAll(calls);

        Assert.Single(both, static result => !Assert.IsType<AppendResult.Appended>(result).IsRepeat);
        Assert.Single(both.Cast<AppendResult.Appended>().Select(static result => (result.Version, result.Position)).Distinct());
        Assert.Equal(2 + 80 + 1, (await ReadAllAsync(0)).Count);
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal([$"1 {i}", $"2 {i}"], await TextsAsync($"good{i}", 1));
        }

        static async Task Expect(AppendResult expected, Task<AppendResult> call) => Assert.Equal(expected, await call);
    }

    [Fact]
    public async Task Append_ToOneStreamManyAtOnce_NoneIsLost()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Store.AppendAsync("a", StreamVersion.Any, [Event($"{i}")], Token)));

        var all = await ReadAsync("a", 1);
        Assert.Equal(Enumerable.Range(1, 200).Select(static i => (long)i), all.Select(static stored => stored.Version));
        Assert.Equal(
            results.Cast<AppendResult.Appended>().Select(static (result, i) => (result.Version, result.Position, $"{i}")).Order(),
            all.Select(static stored => (stored.Version, stored.Position, stored.Type)));
    }

    [Fact]
    public async Task AnyCall_AfterDisposal_SaysSo()
    {
        await Store.DisposeAsync();
        await Store.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => Store.AppendAsync("a", 0, [Event("x")], Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadAllAsync(0));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Store.TrimAsync("a", 1, Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Store.DeleteAsync("a", Token));
    }

    protected abstract Task<IEventStore> CreateAsync(TimeProvider clock);

    protected virtual Task CleanUpAsync() => Task.CompletedTask;

    protected static NewEvent Event(string type) => new(Guid.NewGuid(), type, Encoding.UTF8.GetBytes($"\"{type}\""));

    protected async Task<AppendResult.Appended> AppendedAsync(string stream, long expected, params ImmutableArray<NewEvent> events)
    {
        var appended = Assert.IsType<AppendResult.Appended>(await Store.AppendAsync(stream, expected, events, Token));
        Assert.False(appended.IsRepeat);
        return appended;
    }

    protected async Task<List<StoredEvent>> ReadAsync(string stream, long from) => await Store.ReadAsync(stream, from, Token).ToListAsync(Token);

    private async Task<List<StoredEvent>> ReadAllAsync(long after) => await Store.ReadAllAsync(after, Token).ToListAsync(Token);

    private async Task<IEnumerable<string>> TextsAsync(string stream, long from) =>
        (await ReadAsync(stream, from)).Select(static stored => $"{stored.Version} {stored.Type}");

    /// <summary>Real time, but for the date that events are stamped with.</summary>
    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Start;
    }
}
