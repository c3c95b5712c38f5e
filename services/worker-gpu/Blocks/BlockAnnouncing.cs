using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.KvIndex.Announcing;
using Parallax.KvIndex.Events;
using Parallax.Runtime.KvCache;
using Parallax.Swarm.Telemetry;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu.Blocks;

/// <summary>Announces over the swarm's bus which KV blocks the worker's shards have cached: <see cref="BlockAnnouncer"/> with a lock around it, and the loop that sends.</summary>
/// <param name="news">The bus.</param>
/// <param name="credentials">The worker's.</param>
/// <param name="incarnation">This run of it.</param>
/// <param name="clock">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed partial class BlockAnnouncing(
    IBlockNews news, SwarmCredentials credentials, long incarnation, TimeProvider clock, ILogger<BlockAnnouncing> logger) : BackgroundService, IShardBlocks
{
    /// <summary>Batches that are sent at a time at most: a great cache is told in many turns and not in one.</summary>
    private const int MostPerTurn = 16;

    private static readonly TimeSpan TurnEvery = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new(); // guards _announcer and _shards
    private readonly BlockAnnouncer _announcer = new(incarnation);
    private readonly Dictionary<string, AnnouncedShard> _shards = new(StringComparer.Ordinal);
    private readonly string _self = credentials.Self.ToString();
    private readonly string _swarm = credentials.Swarm.ToString();
    private readonly long _origin = clock.GetTimestamp();

    private TimeSpan Now => clock.GetElapsedTime(_origin);

    /// <inheritdoc/>
    public IPrefixCacheEvents? Open(string shardId, LayerRange range, int mostBlocks)
    {
        lock (_gate)
        {
            if (_announcer.Open(shardId, range, mostBlocks) is not { } shard)
            {
                LogTooMany(shardId, BlockLimits.MaxShards);
                return null;
            }

            _shards.Add(shardId, shard);
            return new ShardEvents(this, shard);
        }
    }

    /// <inheritdoc/>
    public void Close(string shardId)
    {
        lock (_gate)
        {
            if (_shards.Remove(shardId, out var shard))
            {
                _announcer.Close(shard);
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var asks = news.ListenToAsks(_self);
        var connection = 0L;
        using var turns = new PeriodicTimer(TurnEvery, clock);
        try
        {
            while (await turns.WaitForNextTickAsync(stoppingToken))
            {
                var present = news.Connections;
                var isAsked = present != connection;
                connection = present;
                while (asks.TryRead(out var ask))
                {
                    isAsked |= BlockWire.ReadAsk(ask.Message.Span) == incarnation;
                }

                if (isAsked)
                {
                    BeginAnew();
                }

                Send();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The worker stops; readers notice by its silence, or by its leaving the map.
        }
    }

    private void Send()
    {
        for (var i = 0; i < MostPerTurn && news.IsConnected && Next() is { } batch; i++)
        {
            if (!news.TryAnnounce(_self, BlockEnvelope.Seal(credentials.Key, _swarm, BlockWire.Write(batch))))
            {
                BeginAnew(); // its number is missing from now on
                return;
            }

            if (batch.Begins)
            {
                LogBegins(batch.Sequence);
            }
        }
    }

    private BlockBatch? Next()
    {
        lock (_gate)
        {
            return _announcer.Next(Now);
        }
    }

    private void BeginAnew()
    {
        lock (_gate)
        {
            _announcer.BeginAnew();
        }
    }

    [LoggerMessage(140, LogLevel.Debug, "All cached KV blocks are announced anew, from number {Sequence} on")]
    private partial void LogBegins(long sequence);

    [LoggerMessage(141, LogLevel.Warning, "The KV blocks of shard {Shard} are not announced: {Most} shards announce theirs already")]
    private partial void LogTooMany(string shard, int most);

    /// <summary>What one engine tells, on its thread.</summary>
    private sealed class ShardEvents(BlockAnnouncing owner, AnnouncedShard shard) : IPrefixCacheEvents
    {
        public void OnCached(UInt128 hash)
        {
            lock (owner._gate)
            {
                owner._announcer.Added(shard, hash, owner.Now);
            }
        }

        public void OnEvicted(UInt128 hash)
        {
            lock (owner._gate)
            {
                owner._announcer.Evicted(shard, hash, owner.Now);
            }
        }
    }
}
