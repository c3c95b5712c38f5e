using Parallax.KvIndex.Events;
using Parallax.KvIndex.Index;
using Parallax.Runtime.KvCache;
using Parallax.Swarm.Telemetry;

namespace Parallax.Router.Routing;

/// <summary>
/// The router's prefix index: fed by what workers announce over the swarm's bus, asked at each choice of a path. What is
/// missed of a worker is asked for again; who is not on the map counts for nothing.
/// </summary>
/// <param name="news">The bus.</param>
/// <param name="view">Who is there.</param>
/// <param name="swarm">The swarm's id.</param>
/// <param name="index">The index; this feed's alone.</param>
/// <param name="clock">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed partial class PrefixFeed(
    IBlockNews news, ISwarmView view, string swarm, PrefixIndex index, TimeProvider clock, ILogger<PrefixFeed> logger) : BackgroundService, IPrefixLookup
{
    /// <summary>Messages that are taken before the map is looked at again.</summary>
    private const int MostPerTurn = 64;

    private static readonly TimeSpan TurnEvery = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new(); // guards index
    private readonly long _origin = clock.GetTimestamp();
    private SwarmMapSnapshot? _seen; // of the loop alone, like _present
    private Dictionary<string, long> _present = new(StringComparer.Ordinal);
    private TimeSpan? _lookedAt;
    private long _refused;

    /// <summary>How the index is.</summary>
    public PrefixIndexCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return index.Counts;
            }
        }
    }

    /// <summary>Announcements that were not believed: forged, unreadable, or of somebody who is not on the map.</summary>
    public long Refused => Volatile.Read(ref _refused);

    private TimeSpan Now => clock.GetElapsedTime(_origin);

    /// <inheritdoc/>
    public ReadOnlyMemory<int> CachedTokens(PathMap map, PromptPrefix prompt)
    {
        if (Counts.Pairs == 0)
        {
            return default;
        }

        // The hashes are made outside the lock: they take longer than all that is inside.
        foreach (var group in map.Groups)
        {
            _ = prompt.Chain(group.Nodes[0].Offer.NumericClass);
        }

        ShardRef[] shards = [.. map.Nodes.Select(static node => new ShardRef(node.WorkerId, node.Offer.ShardId, node.Offer.Range))];
        var cached = new int[shards.Length];
        lock (_gate)
        {
            foreach (var group in map.Groups)
            {
                index.LongestRuns(
                    prompt.Chain(group.Nodes[0].Offer.NumericClass),
                    shards.AsSpan(group.FirstNode, group.Nodes.Length),
                    cached.AsSpan(group.FirstNode, group.Nodes.Length));
            }
        }

        for (var i = 0; i < cached.Length; i++)
        {
            cached[i] *= BlockChain.BlockTokens;
        }

        return cached.AsSpan().ContainsAnyExcept(0) ? cached : default;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var blocks = news.ListenToBlocks();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                using var turn = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                await Task.WhenAny(blocks.WaitToReadAsync(turn.Token).AsTask(), Task.Delay(TurnEvery, clock, turn.Token));
                await turn.CancelAsync();
                if (_lookedAt is not { } looked || Now - looked >= TurnEvery)
                {
                    _lookedAt = Now;
                    Follow();
                    Ask();
                }

                for (var i = 0; i < MostPerTurn && blocks.TryRead(out var message); i++)
                {
                    Take(message);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogTurnFailed(e); // a bug; one message that cannot be taken must not be the last
            }
        }
    }

    /// <summary>Takes note of who is there.</summary>
    private void Follow()
    {
        var snapshot = view.Current;
        if (!ReferenceEquals(snapshot, _seen))
        {
            _present = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var worker in snapshot.Workers)
            {
                _present[worker.Record.WorkerId] = worker.Record.Incarnation;
            }

            _seen = snapshot;
        }

        lock (_gate)
        {
            index.Keep(_present, Now);
        }
    }

    private void Take(BlockNews message)
    {
        if (!_present.ContainsKey(message.Worker)
            || BlockEnvelope.Open(swarm, message.Worker, message.Message.Span) is not { } bytes
            || BlockWire.Read(bytes.Span, out _) is not { } batch)
        {
            Interlocked.Increment(ref _refused);
            return;
        }

        BlockOutcome outcome;
        lock (_gate)
        {
            outcome = index.Apply(message.Worker, batch, Now);
        }

        if (outcome is BlockOutcome.Full)
        {
            LogFull(message.Worker);
        }
    }

    private void Ask()
    {
        while (news.IsConnected)
        {
            string? worker;
            long incarnation;
            lock (_gate)
            {
                if (!index.TryTakeAsk(Now, out worker, out incarnation))
                {
                    return;
                }
            }

            news.TryAsk(worker, BlockWire.WriteAsk(incarnation)); // what is lost is asked again
            LogAsk(worker);
        }
    }

    [LoggerMessage(70, LogLevel.Debug, "Something of what worker {Worker} has cached was missed; it is asked to say all of it")]
    private partial void LogAsk(string worker);

    [LoggerMessage(71, LogLevel.Warning, "The prefix index takes no more of worker {Worker}: there are as many workers, or shards of it, as it can have")]
    private partial void LogFull(string worker);

    [LoggerMessage(72, LogLevel.Error, "The prefix index failed in a turn")]
    private partial void LogTurnFailed(Exception exception);
}
