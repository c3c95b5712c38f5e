namespace Parallax.Swarm.Telemetry;

/// <summary>A connection to a server, subscribed to the swarm's subjects.</summary>
internal interface INewsConnection : IAsyncDisposable
{
    /// <summary>Completes when the connection is lost, with the reason.</summary>
    Task<string> Lost { get; }

    /// <summary>Gives what is published on a further subject to <paramref name="blocks"/>.</summary>
    /// <exception cref="NewsWireException">The server does not take it; the connection is of no use any more.</exception>
    Task SubscribeAsync(string subject, BlockExchange blocks, CancellationToken cancellationToken);

    /// <summary>Hands a message to the server.</summary>
    /// <exception cref="NewsWireException">The server does not take it; the connection is of no use any more.</exception>
    Task PublishAsync(string subject, ReadOnlyMemory<byte> envelope, CancellationToken cancellationToken);

    /// <summary>Completes when the server has what was published.</summary>
    /// <exception cref="NewsWireException">It does not answer.</exception>
    Task FlushAsync(CancellationToken cancellationToken);
}
