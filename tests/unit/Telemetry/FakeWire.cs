using System.Threading.Channels;
using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

/// <summary>Servers that a test lets come and go. Every attempt to connect waits for the test's answer.</summary>
internal sealed class FakeWire : INewsWire
{
    private readonly Channel<(Uri Server, TaskCompletionSource<INewsConnection> Answer)> _attempts = Channel.CreateUnbounded<(Uri, TaskCompletionSource<INewsConnection>)>();

    public ChannelReader<(Uri Server, TaskCompletionSource<INewsConnection> Answer)> Attempts => _attempts.Reader;

    public Task<INewsConnection> ConnectAsync(Uri server, NewsInbox inbox, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<INewsConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        _attempts.Writer.TryWrite((server, answer));
        return answer.Task.WaitAsync(cancellationToken);
    }
}
