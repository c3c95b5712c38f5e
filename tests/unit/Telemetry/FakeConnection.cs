using System.Threading.Channels;
using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

/// <summary>A connection that keeps what is published on it.</summary>
internal sealed class FakeConnection : INewsConnection
{
    private readonly Channel<(string Subject, byte Value)> _published = Channel.CreateUnbounded<(string, byte)>();
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ChannelReader<(string Subject, byte Value)> Published => _published.Reader;

    public bool IsFlushed { get; private set; }

    public bool IsDisposed { get; private set; }

    /// <summary>What publishing throws from now on.</summary>
    public Exception? Failure { get; set; }

    public Task<string> Lost => _lost.Task;

    public void Lose(string reason) => _lost.TrySetResult(reason);

    public List<string> Subscribed { get; } = [];

    public Task SubscribeAsync(string subject, BlockExchange blocks, CancellationToken cancellationToken)
    {
        Subscribed.Add(subject);
        return Task.CompletedTask;
    }

    public Task PublishAsync(string subject, ReadOnlyMemory<byte> envelope, CancellationToken cancellationToken)
    {
        if (Failure is not null)
        {
            return Task.FromException(Failure);
        }

        _published.Writer.TryWrite((subject, envelope.Span[0]));
        return Task.CompletedTask;
    }

    public Task FlushAsync(CancellationToken cancellationToken)
    {
        IsFlushed = true;
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
