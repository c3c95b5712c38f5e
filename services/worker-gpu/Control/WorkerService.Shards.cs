using System.Threading.Channels;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;
using Parallax.Worker.Gpu.Shards;
using Shard = Parallax.Worker.Gpu.Shards.Shard;

namespace Parallax.Worker.Gpu.Control;

internal sealed partial class WorkerService
{
    private static readonly TimeSpan MostDrainTime = TimeSpan.FromMinutes(10);

    public override async Task LoadShard(LoadShardRequest request, IServerStreamWriter<LoadShardProgress> responseStream, ServerCallContext context)
    {
        // Whoever reads slowly sees fewer steps, not old ones.
        var steps = Channel.CreateBounded<LoadProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        var loading = LoadAsync(request, steps.Writer, context.CancellationToken);
        LoadProgress last = default;
        try
        {
            await foreach (var step in steps.Reader.ReadAllAsync(context.CancellationToken))
            {
                last = step;
                await responseStream.WriteAsync(ToWire(step), context.CancellationToken);
            }
        }
        finally
        {
            await Task.WhenAny(loading); // its own end is told below
        }

        var shard = await TranslateAsync(() => loading);
        var end = ToWire(last);
        end.LayersLoaded = end.LayersTotal = shard.Range.Count;
        end.WeightBytes = shard.Loaded?.Shard.WeightBytes ?? 0;
        end.Serving = WorkerMapping.ToWire(shard);
        await responseStream.WriteAsync(end, context.CancellationToken);
        LogLoaded(shard.Id, shard.Model.Name, shard.Range);
    }

    public override async Task<UnloadShardReply> UnloadShard(UnloadShardRequest request, ServerCallContext context)
    {
        if (request.DrainMs < 0 || request.DrainMs > MostDrainTime.TotalMilliseconds)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"A drain time of {request.DrainMs} ms is out of range; use 0 to {MostDrainTime.TotalMilliseconds:0} ms."));
        }

        // The unload goes on when the caller goes away.
        var cancelled = await TranslateAsync(() => state.Shards
            .UnloadAsync(request.ShardId, TimeSpan.FromMilliseconds(request.DrainMs)).WaitAsync(context.CancellationToken));
        LogUnloaded(Wording.Printable(request.ShardId), cancelled);
        return new UnloadShardReply { SessionsCancelled = cancelled };
    }

    public override Task<ListShardsReply> ListShards(ListShardsRequest request, ServerCallContext context)
    {
        var reply = new ListShardsReply { MemoryLimitBytes = state.Shards.Memory.Limit, MemoryUsedBytes = state.Shards.Memory.Used };
        reply.Shards.AddRange(state.Shards.Shards.Select(WorkerMapping.ToWireState));
        return Task.FromResult(reply);
    }

    private async Task<Shard> LoadAsync(LoadShardRequest request, ChannelWriter<LoadProgress> steps, CancellationToken cancellationToken)
    {
        try
        {
            return await state.Shards.LoadAsync(WorkerMapping.ToRequest(request), new ChannelProgress(steps), cancellationToken);
        }
        finally
        {
            steps.TryComplete();
        }
    }

    /// <summary>Awaits an operation on shards; what its caller can act on becomes a status with the same words.</summary>
    private static async Task<T> TranslateAsync<T>(Func<Task<T>> operation)
    {
        try
        {
            return await operation();
        }
        catch (Exception e) when (CodeOf(e) is not null)
        {
            throw new RpcException(new Status(CodeOf(e)!.Value, e is OperationCanceledException ? "The load was given up." : e.Message));
        }
    }

    private static StatusCode? CodeOf(Exception problem) => problem switch
    {
        ShardRefusedException { Refusal: ShardRefusal.Invalid } or LayerRangeException => StatusCode.InvalidArgument,
        ShardRefusedException { Refusal: ShardRefusal.NotFound } => StatusCode.NotFound,
        ShardRefusedException { Refusal: ShardRefusal.NoRoom } => StatusCode.ResourceExhausted,
        ShardRefusedException or ModelFormatException => StatusCode.FailedPrecondition,
        ArgumentException => StatusCode.InvalidArgument, // limits that make no sense together
        OutOfMemoryException => StatusCode.ResourceExhausted,
        OperationCanceledException => StatusCode.Cancelled,
        _ => null,
    };

    private static LoadShardProgress ToWire(LoadProgress step) =>
        new() { LayersLoaded = step.LayersLoaded, LayersTotal = step.LayersTotal, WeightBytes = step.BytesLoaded };

    [LoggerMessage(20, LogLevel.Information, "Shard {Shard} serves {Model} {Range}")]
    private partial void LogLoaded(string shard, string model, LayerRange range);

    [LoggerMessage(21, LogLevel.Information, "Shard {Shard} is gone; {Count} sessions were ended")]
    private partial void LogUnloaded(string shard, int count);

    private sealed class ChannelProgress(ChannelWriter<LoadProgress> steps) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => steps.TryWrite(value);
    }
}
