using System.Collections.Immutable;
using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>What an operator can ask for.</summary>
internal abstract record PlanCommand(CommandStamp Stamp);

/// <summary>Serve a model, or serve it otherwise.</summary>
internal sealed record DeployModel(CommandStamp Stamp, DeployedModel Model) : PlanCommand(Stamp)
{
    /// <summary>What the model's pins are from then on; null leaves them as they are.</summary>
    public ImmutableArray<Assignment>? Pins { get; init; }
}

/// <summary>Serve a model no longer.</summary>
internal sealed record RetireModel(CommandStamp Stamp, string Model) : PlanCommand(Stamp);

/// <summary>Take everything from a worker.</summary>
internal sealed record DrainWorker(CommandStamp Stamp, string Worker) : PlanCommand(Stamp);

/// <summary>Treat a worker as gone.</summary>
internal sealed record RemoveWorker(CommandStamp Stamp, string Worker) : PlanCommand(Stamp);

/// <summary>Keep a placement.</summary>
internal sealed record PinShard(CommandStamp Stamp, Assignment Pin) : PlanCommand(Stamp);

/// <summary>Keep it no longer.</summary>
internal sealed record UnpinShard(CommandStamp Stamp, string Worker, string Model) : PlanCommand(Stamp);

/// <summary>Take the best plan now, whatever it moves.</summary>
internal sealed record Rebalance(CommandStamp Stamp) : PlanCommand(Stamp);
