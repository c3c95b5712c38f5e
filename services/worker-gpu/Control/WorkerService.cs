using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Worker.Gpu.Control;

/// <summary>The worker's gRPC calls.</summary>
internal sealed partial class WorkerService(
    WorkerState state, TimeProvider clock, ILoggerFactory loggers, ILogger<WorkerService> logger)
    : Contracts.V1.Worker.WorkerBase
{
    /// <summary>Lease time that the engine keeps (session protocol, rule 10).</summary>
    private const int LeaseSeconds = 60;

    public override async Task Control(
        IAsyncStreamReader<RouterMessage> requestStream,
        IServerStreamWriter<WorkerMessage> responseStream,
        ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken)
            || requestStream.Current.MessageCase != RouterMessage.MessageOneofCase.Hello)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "A control stream starts with Hello."));
        }

        var hello = requestStream.Current.Hello;
        var router = SessionRefs.Join(hello.RouterHigh, hello.RouterLow);
        using var call = new ControlCall(state, router, clock, loggers.CreateLogger<ControlCall>());
        await call.RunAsync(requestStream, responseStream, context);
    }

    public override Task<WorkerInfo> GetInfo(GetInfoRequest request, ServerCallContext context)
    {
        var info = new WorkerInfo { Incarnation = state.Incarnation, LeaseSeconds = LeaseSeconds, WorkerId = state.WorkerId };
        info.Models.AddRange(state.Shards.Serving.Select(WorkerMapping.ToWire));
        info.Ending.AddRange(state.Shards.Ending.Select(WorkerMapping.ToWire));
        return Task.FromResult(info);
    }

    public override Task<WorkerStats> GetStats(GetStatsRequest request, ServerCallContext context)
    {
        var stats = WorkerMapping.ToWire(state.Shards.ReadStats());
        stats.ControlStreams = state.StreamCount;
        stats.RetainedSessions = state.Sessions.RetainedCount;
        return Task.FromResult(stats);
    }
}
