using System.Threading.Channels;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// How announcements of cached KV blocks travel: fast, advisory, in the order they were sent while the connection holds.
/// What is lost is for the readers to notice. Thread-safe.
/// </summary>
public interface IBlockNews
{
    /// <summary>Whether announcements travel now.</summary>
    bool IsConnected { get; }

    /// <summary>Connections there have been: with each new one something may have been lost.</summary>
    long Connections { get; }

    /// <summary>Announces something of a worker to all that listen, those of this process included. Returns at once.</summary>
    /// <param name="worker">The worker's peer id in hex.</param>
    /// <param name="message">Of <see cref="BlockEnvelope.Seal"/>; not to be changed any more.</param>
    /// <returns>False when it does not go out: nobody is there, or too much waits already.</returns>
    bool TryAnnounce(string worker, ReadOnlyMemory<byte> message);

    /// <summary>Asks a worker to announce all again. Returns at once; it may be lost.</summary>
    /// <param name="worker">The worker's peer id in hex.</param>
    /// <param name="message">At most <see cref="BlockEnvelope.MaxAskBytes"/> bytes.</param>
    /// <returns>False when it does not go out.</returns>
    bool TryAsk(string worker, ReadOnlyMemory<byte> message);

    /// <summary>From now on all workers' announcements are heard. Not verified (<see cref="BlockEnvelope.Open"/>). One reader; when it is slow the oldest are dropped.</summary>
    ChannelReader<BlockNews> ListenToBlocks();

    /// <summary>From now on what is asked of a worker of this process is heard. One reader; when it is slow the oldest are dropped.</summary>
    /// <param name="worker">The worker's peer id in hex.</param>
    ChannelReader<BlockNews> ListenToAsks(string worker);
}

/// <summary>A message about cached KV blocks as it came.</summary>
/// <param name="Worker">The peer id in its subject, in hex.</param>
/// <param name="Message">Its bytes.</param>
public readonly record struct BlockNews(string Worker, ReadOnlyMemory<byte> Message);
