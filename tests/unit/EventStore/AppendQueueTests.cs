using System.Collections.Immutable;
using System.Threading.Channels;
using Parallax.EventStore;
using Parallax.EventStore.Appends;

namespace Parallax.UnitTests.EventStore;

public class AppendQueueTests
{
    private readonly Channel<ImmutableArray<AppendRequest>> _begun = Channel.CreateUnbounded<ImmutableArray<AppendRequest>>();
    private readonly SemaphoreSlim _goOn = new(0);
    private readonly AppendQueue _queue;
    private Exception? _problem;

    public AppendQueueTests() => _queue = new AppendQueue(async batch =>
    {
        await _begun.Writer.WriteAsync(batch);
        await _goOn.WaitAsync();
        return _problem is null
            ? [.. batch.Select(static request => AppendOutcome.Of(new AppendResult.Conflict(request.ExpectedVersion)))]
            : throw _problem;
    });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CallsThatComeWhileOneIsWritten_ShareTheNext()
    {
        var first = Append(1);
        Assert.Single(await _begun.Reader.ReadAsync(Token));
        var others = Enumerable.Range(2, 5).Select(version => Append(version)).ToList();

        _goOn.Release(2);
        Assert.Equal([2L, 3, 4, 5, 6], (await _begun.Reader.ReadAsync(Token)).Select(static request => request.ExpectedVersion));
        Assert.Equal(new AppendResult.Conflict(1), await first);
        Assert.Equal([2L, 3, 4, 5, 6], (await Task.WhenAll(others)).Select(static result => ((AppendResult.Conflict)result).ActualVersion));
    }

    [Fact]
    public async Task Batch_IsBoundedInEventsAndBytes()
    {
        var first = Append(1);
        await _begun.Reader.ReadAsync(Token);
        var large = new byte[EventStoreLimits.MaxPayloadBytes];
        Task<AppendResult>[] others = [Append(2, events: 1000), Append(3, events: 100), Append(4, payload: large), Append(5, payload: large), Append(6)];

        _goOn.Release(10);
        await Task.WhenAll([first, .. others]);
        var sizes = new List<int>();
        while (_begun.Reader.TryRead(out var batch))
        {
            sizes.Add(batch.Length);
        }

        Assert.Equal([1, 2, 2], sizes); // 1000 events; 100 and the first large one; the second one and what came behind it
    }

    [Fact]
    public async Task Cancelled_WhileItWaits_IsNotWritten()
    {
        var first = Append(1);
        await _begun.Reader.ReadAsync(Token);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var (second, third) = (Append(2, gone: gone), Append(3));
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        _goOn.Release(2);
        Assert.Equal(3, Assert.Single(await _begun.Reader.ReadAsync(Token)).ExpectedVersion);
        await Task.WhenAll(first, third);
    }

    [Fact]
    public async Task Cancelled_WhileItIsWritten_IsFinished()
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var call = Append(1, gone: gone);
        await _begun.Reader.ReadAsync(Token);
        await gone.CancelAsync();
        _goOn.Release();

        Assert.Equal(new AppendResult.Conflict(1), await call);
    }

    [Fact]
    public async Task TransactionThatFails_FailsItsCallsAndNoOthers()
    {
        _problem = new EventStoreException("The store fails.");
        var first = Append(1);
        await _begun.Reader.ReadAsync(Token);
        _goOn.Release();
        Assert.Same(_problem, await Assert.ThrowsAsync<EventStoreException>(() => first));

        _problem = null;
        _goOn.Release();
        Assert.Equal(new AppendResult.Conflict(2), await Append(2));
    }

    [Fact]
    public async Task DisposedOf_FinishesWhatWaitsAndTakesNoMore()
    {
        var first = Append(1);
        await _begun.Reader.ReadAsync(Token);
        var second = Append(2);
        var disposed = _queue.DisposeAsync();
        _goOn.Release(2);
        await disposed;

        Assert.Equal(new AppendResult.Conflict(1), await first);
        Assert.Equal(new AppendResult.Conflict(2), await second);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Append(3));
    }

    private Task<AppendResult> Append(long version, int events = 1, byte[]? payload = null, CancellationTokenSource? gone = null) => _queue.AppendAsync(
        new AppendRequest("a", version, [.. Enumerable.Range(0, events).Select(_ => new NewEvent(Guid.NewGuid(), "x", payload ?? []))]), gone?.Token ?? CancellationToken.None);
}
