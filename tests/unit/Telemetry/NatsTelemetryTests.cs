using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Parallax.Contracts.Subjects;
using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

/// <summary>The loop around the connection, with servers and time in the test's hands.</summary>
public sealed class NatsTelemetryTests : IAsyncDisposable
{
    private const string Worker = "00112233445566778899aabbccddeeff00112233";
    private static readonly Uri First = new("nats://first:4222");
    private static readonly Uri Second = new("nats://second:4222");
    private readonly SwarmSubjects _subjects = new("home");
    private readonly FakeTimeProvider _time = new();
    private readonly FakeWire _wire = new();
    private readonly NatsTelemetry _news;

    public NatsTelemetryTests() => _news = new NatsTelemetry(
        new NatsOptions { Servers = [First, Second] }, _subjects, _time, NullLogger<NatsTelemetry>.Instance, seed: 1, (_, _) => _wire);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _news.DisposeAsync();

    [Fact]
    public async Task Servers_AreTriedInTurn_UntilOneAnswers()
    {
        var start = _time.GetUtcNow();
        await FailAsync(First, "first is away");
        await FailAsync(Second, "second is away");
        await FailAsync(First, "first is away again");
        var (_, answer) = await WithTimeAsync(_wire.Attempts); // the next attempt: the last one's end is known by now
        Assert.Equal((false, "first is away again", start), (_news.State.IsConnected, _news.State.Problem, _news.State.Since));
        answer.SetException(new NewsWireException("second is away again", isRefusal: true));
        await FailAsync(First, "first is away");

        var changed = _news.Changed;
        await ConnectAsync(Second);
        await changed.WaitAsync(Token);
        Assert.True(_news.IsConnected);
        Assert.Equal((Second.ToString(), ""), (_news.State.Server, _news.State.Problem));
        Assert.False(_news.Changed.IsCompleted);
    }

    [Fact]
    public async Task Publish_WhileAbsent_IsSaidOnceConnected_TheLatestOnly()
    {
        Publish(1);
        Publish(2);
        _news.Publish(NewsKind.Plan, "", new byte[] { 3 });
        var connection = await ConnectAsync(First);
        Assert.Equal((_subjects.Record(Worker), 2), await connection.Published.ReadAsync(Token));
        Assert.Equal((_subjects.Plan, 3), await connection.Published.ReadAsync(Token));
        Publish(4);
        Assert.Equal((_subjects.Record(Worker), 4), await connection.Published.ReadAsync(Token));
    }

    [Fact]
    public async Task Period_Over_TellsTheRecordAsTelemetry()
    {
        Publish(1);
        var connection = await ConnectAsync(First);
        await connection.Published.ReadAsync(Token);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((_subjects.Telemetry(Worker), 1), await WithTimeAsync(connection.Published));
        }
    }

    [Fact]
    public async Task Connection_Lost_EverythingIsSaidAgainOnTheNext()
    {
        Publish(1);
        _news.Publish(NewsKind.Revocations, "", new byte[] { 2 });
        var connection = await ConnectAsync(First);
        await connection.Published.ReadAsync(Token);
        await connection.Published.ReadAsync(Token);
        var changed = _news.Changed;
        connection.Lose("first is gone");
        await changed.WaitAsync(Token);
        Assert.Equal((false, "first is gone"), (_news.IsConnected, _news.State.Problem));
        Publish(3);

        var next = await ConnectAsync(Second);
        Assert.True(connection.IsDisposed);
        Assert.Equal((_subjects.Record(Worker), 3), await next.Published.ReadAsync(Token));
        Assert.Equal((_subjects.Revocations, 2), await next.Published.ReadAsync(Token));
        Assert.Equal(2, _news.Counts.Connections);
    }

    [Fact]
    public async Task Publish_TheServerTakesNoMore_IsALoss()
    {
        var connection = await ConnectAsync(First);
        var changed = _news.Changed;
        connection.Failure = new NewsWireException("takes no more", isRefusal: false);
        Publish(1);
        await changed.WaitAsync(Token);
        Assert.Equal("takes no more", _news.State.Problem);
        var next = await ConnectAsync(Second);
        Assert.Equal((_subjects.Record(Worker), 1), await next.Published.ReadAsync(Token));
    }

    [Fact]
    public async Task Dispose_SendsWhatWaits_AndFlushes()
    {
        var connection = await ConnectAsync(First);
        Publish(9);
        await _news.DisposeAsync();
        Assert.True(connection.Published.TryRead(out var last));
        Assert.Equal(9, last.Value);
        Assert.True(connection.IsFlushed);
        Assert.True(connection.IsDisposed);
        Assert.Equal((false, "closed"), (_news.IsConnected, _news.State.Problem));
        Assert.Throws<ObjectDisposedException>(() => Publish(1));
    }

    [Fact]
    public async Task Wire_Buggy_IsMetByTheReader()
    {
        var (_, answer) = await _wire.Attempts.ReadAsync(Token);
        answer.SetException(new InvalidOperationException("a bug"));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await _news.Incoming.Completion.WaitAsync(Token));
        Assert.Contains("error in this program", _news.State.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Publish_WhatCannotBe_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => _news.Publish(NewsKind.Worker, "a.b", new byte[1]));
        Assert.Throws<ArgumentException>(() => _news.Publish(NewsKind.Plan, Worker, new byte[1]));
        Assert.Throws<ArgumentException>(() => _news.Publish(NewsKind.Worker, Worker, ReadOnlyMemory<byte>.Empty));
        Assert.Throws<ArgumentException>(() => _news.Publish(NewsKind.Worker, Worker, new byte[NewsLimits.MaxEnvelopeBytes + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => _news.Publish((NewsKind)9, "", new byte[1]));
    }

    [Fact]
    public void NoNews_IsNeverConnectedAndTakesEverything()
    {
        var none = new NoNews();
        none.Publish(NewsKind.Worker, Worker, new byte[1]);
        Assert.False(none.IsConnected);
        Assert.False(none.Changed.IsCompleted);
        Assert.False(none.Incoming.TryRead(out _));
    }

    private void Publish(byte value) => _news.Publish(NewsKind.Worker, Worker, new[] { value });

    private async Task FailAsync(Uri server, string problem)
    {
        var (tried, answer) = await WithTimeAsync(_wire.Attempts);
        Assert.Equal(server, tried);
        answer.SetException(new NewsWireException(problem, isRefusal: false));
    }

    private async Task<FakeConnection> ConnectAsync(Uri server)
    {
        var (tried, answer) = await WithTimeAsync(_wire.Attempts);
        Assert.Equal(server, tried);
        var connection = new FakeConnection();
        var changed = _news.Changed;
        answer.SetResult(connection);
        await changed.WaitAsync(Token);
        return connection;
    }

    // Lets time pass until something comes.
    private async Task<T> WithTimeAsync<T>(ChannelReader<T> reader)
    {
        T item;
        while (!reader.TryRead(out item!))
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
            await Task.Delay(1, Token);
        }

        return item;
    }
}
