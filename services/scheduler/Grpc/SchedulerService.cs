using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.EventStore;
using Parallax.Placement;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Workflow;

namespace Parallax.Scheduler.Grpc;

/// <summary>The scheduler's calls: checks requests, has commands carried out by the loop, and puts outcomes into words.</summary>
internal sealed partial class SchedulerService(SchedulerLoop loop, ILogger<SchedulerService> logger)
    : Contracts.V1.Scheduler.SchedulerBase, IDisposable
{
    private readonly SemaphoreSlim _whatIfTurn = new(1); // planning a large swarm takes a core for seconds: one at a time

    public override Task<CommandReply> Deploy(DeployRequest request, ServerCallContext context)
    {
        var problems = new List<string>();
        var stamp = SchedulerMapping.Stamp(request.CommandId, request, problems);
        var model = SchedulerMapping.Model(request.Model, problems);
        ThrowIfAny(problems);
        return ExecuteAsync(new DeployModel(stamp, model!) { Pins = SchedulerMapping.Pins(request.Model, request.ReplacePins) }, context);
    }

    public override Task<CommandReply> Retire(RetireRequest request, ServerCallContext context) =>
        ExecuteAsync(new RetireModel(Stamp(request.CommandId, request), Name(request.Model)), context);

    public override Task<CommandReply> Drain(WorkerRequest request, ServerCallContext context) =>
        ExecuteAsync(new DrainWorker(Stamp(request.CommandId, request, "Drain"), Name(request.WorkerId)), context);

    public override Task<CommandReply> Remove(WorkerRequest request, ServerCallContext context) =>
        ExecuteAsync(new RemoveWorker(Stamp(request.CommandId, request, "Remove"), Name(request.WorkerId)), context);

    public override Task<CommandReply> Pin(PinRequest request, ServerCallContext context) => ExecuteAsync(
        new PinShard(
            Stamp(request.CommandId, request),
            new Assignment(Name(request.WorkerId), Name(request.Model), new LayerRange(request.LayerStart, request.LayerEnd))),
        context);

    public override Task<CommandReply> Unpin(UnpinRequest request, ServerCallContext context) =>
        ExecuteAsync(new UnpinShard(Stamp(request.CommandId, request), Name(request.WorkerId), Name(request.Model)), context);

    public override Task<CommandReply> Rebalance(RebalanceRequest request, ServerCallContext context) =>
        ExecuteAsync(new Rebalance(Stamp(request.CommandId, request)), context);

    public override async Task<WhatIfReply> WhatIf(WhatIfRequest request, ServerCallContext context)
    {
        var problems = new List<string>();
        var status = loop.Status;
        var hypothesis = SchedulerMapping.Hypothesis(request, status.State, status.Swarm, problems);
        ThrowIfAny(problems);
        var (state, swarm) = hypothesis!.Value;
        var planning = loop.ContextOf(status);
        await _whatIfTurn.WaitAsync(context.CancellationToken);
        try
        {
            var placing = PlanRequest.Of(state, swarm, status.Stalls);
            var next = await Task.Run(() => Planner.Plan(placing, planning, isFree: false), CancellationToken.None);
            var placed = new PlacedPlan(state.Version, next.Plan, next.Moves, placing.Incarnations, planning.Now, "it was asked what would be");
            return new WhatIfReply { Plan = PlanRecords.Details(state with { Placed = placed }) };
        }
        catch (Exception problem) when (problem is not RpcException)
        {
            LogWhatIfFailed(problem);
            throw new RpcException(new Status(StatusCode.Internal, "The question led to an error of the scheduler; its log says more."));
        }
        finally
        {
            _whatIfTurn.Release();
        }
    }

    public override Task<GetPlanReply> GetPlan(GetPlanRequest request, ServerCallContext context)
    {
        var status = loop.Status;
        return Task.FromResult(new GetPlanReply
        {
            Leading = status.IsLeading,
            Leader = status.Leader is { } leader ? new SchedulerLeader { Id = leader.Id, Address = leader.Address, Term = leader.Term } : null,
            Plan = PlanRecords.Details(status.State),
        });
    }

    public void Dispose() => _whatIfTurn.Dispose();

    private static CommandStamp Stamp(string id, IMessage request, string call = "")
    {
        var problems = new List<string>();
        var stamp = SchedulerMapping.Stamp(id, request, problems);
        ThrowIfAny(problems);
        return stamp with { Digest = call + stamp.Digest };
    }

    /// <summary>A name or id that is only looked up: bounded, so that refusals are.</summary>
    private static string Name(string text) => text.Length > 256 ? throw Invalid("A name or id has at most 256 characters.")
        : text.Any(char.IsControl) ? throw Invalid("A name or id has only printable characters.")
        : text;

    private static void ThrowIfAny(List<string> problems)
    {
        if (problems.Count > 0)
        {
            throw Invalid(SchedulerMapping.Joined(problems));
        }
    }

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));

    private static StatusCode CodeOf(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCode.InvalidArgument,
        RefusalKind.NotFound => StatusCode.NotFound,
        RefusalKind.Conflict => StatusCode.AlreadyExists,
        RefusalKind.TooMany => StatusCode.ResourceExhausted,
        _ => StatusCode.Unavailable,
    };

    private static RpcException NotLeading(NotLeadingException problem)
    {
        var trailers = new Metadata();
        if (problem.Leader is { } leader)
        {
            trailers.Add("parallax-leader-id", leader.Id);
            trailers.Add("parallax-leader-address", leader.Address);
            trailers.Add("parallax-leader-term", leader.Term.ToString(CultureInfo.InvariantCulture));
        }

        return new RpcException(new Status(StatusCode.FailedPrecondition, problem.Message), trailers);
    }

    private async Task<CommandReply> ExecuteAsync(PlanCommand command, ServerCallContext context)
    {
        try
        {
            var outcome = await loop.ExecuteAsync(command, context.CancellationToken);
            return outcome.Refusal is { } refusal
                ? throw new RpcException(new Status(CodeOf(refusal.Kind), refusal.Message))
                : SchedulerMapping.ToWire(outcome);
        }
        catch (NotLeadingException problem)
        {
            throw NotLeading(problem);
        }
        catch (EventStoreException problem)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, problem.Message));
        }
        catch (DecisionFailedException problem)
        {
            throw new RpcException(new Status(StatusCode.Internal, problem.Message));
        }
    }

    [LoggerMessage(50, LogLevel.Error, "A what-if failed")]
    private partial void LogWhatIfFailed(Exception problem);
}
