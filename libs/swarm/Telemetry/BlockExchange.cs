using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.Subjects;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// The messages about KV blocks that go out and have come in over a news wire, and what it is to subscribe to. All queues are
/// bounded. A member does not hear itself over the wire, so that what it says is given to its own readers here. Thread-safe.
/// </summary>
/// <param name="subjects">The swarm's.</param>
internal sealed class BlockExchange(SwarmSubjects subjects)
{
    /// <summary>Messages that wait to be sent at most: 13 MB at the very most.</summary>
    private const int MostOutgoing = 256;

    /// <summary>Announcements that wait to be read at most: 26 MB at the very most.</summary>
    private const int MostIncoming = 512;

    private const int MostAsks = 4;

    private readonly Channel<(string Subject, ReadOnlyMemory<byte> Message)> _outgoing =
        Channel.CreateBounded<(string, ReadOnlyMemory<byte>)>(new BoundedChannelOptions(MostOutgoing) { SingleReader = true });
    private readonly ConcurrentDictionary<string, Channel<BlockNews>> _asks = new(StringComparer.Ordinal);
    private readonly Lock _gate = new(); // guards _wanted and _blocks
    private readonly List<string> _wanted = []; // subjects
    private Channel<BlockNews>? _blocks;
    private long _dropped;
    private long _refused;
    private int _subscribed; // of _wanted on this connection; of the loop alone

    /// <summary>Announcements that were not read in time.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Messages that were refused unread: too long, with headers, or on no worker's subject.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Hears all workers' announcements.</summary>
    public ChannelReader<BlockNews> ListenToBlocks()
    {
        lock (_gate)
        {
            if (_blocks is null)
            {
                _blocks = Channel.CreateBounded<BlockNews>(
                    new BoundedChannelOptions(MostIncoming) { FullMode = BoundedChannelFullMode.DropOldest },
                    _ => Interlocked.Increment(ref _dropped));
                _wanted.Add(subjects.AnyBlocks);
            }

            return _blocks.Reader;
        }
    }

    /// <summary>Hears what a worker of this process is asked.</summary>
    public ChannelReader<BlockNews> ListenToAsks(string worker)
    {
        var subject = subjects.BlockAsk(worker);
        lock (_gate)
        {
            if (!_asks.TryGetValue(worker, out var asks))
            {
                _asks[worker] = asks = Channel.CreateBounded<BlockNews>(new BoundedChannelOptions(MostAsks) { FullMode = BoundedChannelFullMode.DropOldest });
                _wanted.Add(subject);
            }

            return asks.Reader;
        }
    }

    /// <summary>Puts an announcement into the queue; false when that is full.</summary>
    public bool TryAnnounce(string worker, ReadOnlyMemory<byte> message)
    {
        if (message.Length is 0 or > BlockEnvelope.MaxBytes || !_outgoing.Writer.TryWrite((subjects.Blocks(worker), message)))
        {
            return false;
        }

        Volatile.Read(ref _blocks)?.Writer.TryWrite(new BlockNews(worker, message));
        return true;
    }

    /// <summary>Puts a question into the queue; false when that is full.</summary>
    public bool TryAsk(string worker, ReadOnlyMemory<byte> message)
    {
        var isOwn = _asks.TryGetValue(worker, out var asks);
        return message.Length is > 0 and <= BlockEnvelope.MaxAskBytes
            && (isOwn ? asks!.Writer.TryWrite(new BlockNews(worker, message)) : _outgoing.Writer.TryWrite((subjects.BlockAsk(worker), message)));
    }

    /// <summary>A new connection: what waits was meant for another, and nothing is subscribed to.</summary>
    public void BeginConnection()
    {
        _subscribed = 0;
        while (_outgoing.Reader.TryRead(out _))
        {
            // Senders begin anew on a new connection.
        }
    }

    /// <summary>The next subject to subscribe to.</summary>
    public bool TryTakeWanted(out string subject)
    {
        lock (_gate)
        {
            var isLeft = _subscribed < _wanted.Count;
            subject = isLeft ? _wanted[_subscribed++] : "";
            return isLeft;
        }
    }

    /// <summary>The next message to be sent.</summary>
    public bool TryTake(out (string Subject, ReadOnlyMemory<byte> Message) message) => _outgoing.Reader.TryRead(out message);

    /// <summary>A message from the wire. Copies what it keeps and never waits.</summary>
    public void Arrived(string subject, bool hasHeaders, in ReadOnlySequence<byte> message)
    {
        var worker = subjects.WorkerOf(subject);
        var isBlocks = worker is not null && subject == subjects.Blocks(worker);
        var isAsk = worker is not null && subject == subjects.BlockAsk(worker);
        if (hasHeaders || worker is null || !(isBlocks || isAsk) || !PeerId.TryParse(worker, out _) || message.Length == 0
            || message.Length > (isBlocks ? BlockEnvelope.MaxBytes : BlockEnvelope.MaxAskBytes))
        {
            Interlocked.Increment(ref _refused);
        }
        else if (isBlocks)
        {
            Volatile.Read(ref _blocks)?.Writer.TryWrite(new BlockNews(worker, message.ToArray()));
        }
        else if (_asks.TryGetValue(worker, out var asks))
        {
            asks.Writer.TryWrite(new BlockNews(worker, message.ToArray()));
        }
    }
}
