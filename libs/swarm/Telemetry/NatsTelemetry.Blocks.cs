using System.Threading.Channels;

namespace Parallax.Swarm.Telemetry;

/// <content>Announcements of KV blocks, on the same connection.</content>
public sealed partial class NatsTelemetry : IBlockNews
{
    private readonly BlockExchange _blocks;

    /// <inheritdoc/>
    public long Connections => Volatile.Read(ref _connections);

    /// <summary>Announcements of KV blocks that were not read in time.</summary>
    public long DroppedBlocks => _blocks.Dropped;

    /// <summary>Messages about KV blocks that were refused unread.</summary>
    public long RefusedBlocks => _blocks.Refused;

    /// <inheritdoc/>
    public bool TryAnnounce(string worker, ReadOnlyMemory<byte> message) => IsConnected && _blocks.TryAnnounce(worker, message) && Wake();

    /// <inheritdoc/>
    public bool TryAsk(string worker, ReadOnlyMemory<byte> message) => IsConnected && _blocks.TryAsk(worker, message) && Wake();

    /// <inheritdoc/>
    public ChannelReader<BlockNews> ListenToBlocks()
    {
        var reader = _blocks.ListenToBlocks();
        Wake();
        return reader;
    }

    /// <inheritdoc/>
    public ChannelReader<BlockNews> ListenToAsks(string worker)
    {
        var reader = _blocks.ListenToAsks(worker);
        Wake();
        return reader;
    }

    /// <summary>The loop has something to do.</summary>
    private bool Wake()
    {
        _said.Writer.TryWrite(true);
        return true;
    }

    private async Task SendBlocksAsync(INewsConnection connection, CancellationToken cancellationToken)
    {
        while (_blocks.TryTakeWanted(out var subject))
        {
            await connection.SubscribeAsync(subject, _blocks, cancellationToken);
        }

        while (_blocks.TryTake(out var message))
        {
            await connection.PublishAsync(message.Subject, message.Message, cancellationToken);
            Interlocked.Increment(ref _sent);
        }
    }
}
