using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>Whether something can be pinned. Pure.</summary>
internal static class PinCheck
{
    /// <summary>Why a pin is refused; null when it is not.</summary>
    /// <param name="pin">The pin.</param>
    /// <param name="model">Its model, deployed or about to be.</param>
    /// <param name="state">What was decided so far.</param>
    /// <param name="swarm">Who is there.</param>
    public static Refusal? Refuse(Assignment pin, DeployedModel model, SchedulerState state, SwarmView swarm)
    {
        var layers = model.Shape.Layers.Length;
        if (pin.Range.Start < 0 || pin.Range.End <= pin.Range.Start || pin.Range.End > layers)
        {
            return new Refusal(
                RefusalKind.Invalid, $"{pin.Range} is no range of the layers of {pin.Model}, which has {layers}; use [start, end) with 0 <= start < end <= {layers}.");
        }

        if (!swarm.Workers.TryGetValue(pin.Node, out var worker) || PlanRequest.IsRemoved(state, worker))
        {
            return new Refusal(RefusalKind.NotFound, UnknownWorker(pin.Node, swarm));
        }

        return PlanRequest.IsDraining(state, worker)
            ? new Refusal(RefusalKind.Invalid, $"Worker {pin.Node} drains: nothing can be pinned to it.")
            : null;
    }

    /// <summary>One pin more than may be.</summary>
    public static Refusal TooMany(int pins) => new(RefusalKind.TooMany, $"There are {pins} pins, which is the limit; remove some first.");

    /// <summary>A worker that was named is not there.</summary>
    public static string UnknownWorker(string worker, SwarmView swarm) => swarm.Workers.IsEmpty
        ? $"Worker '{worker}' is not in the swarm; no worker is known."
        : $"Worker '{worker}' is not in the swarm, which has {string.Join(", ", swarm.Workers.Keys.Take(16))}{(swarm.Workers.Count > 16 ? $" and {swarm.Workers.Count - 16} more" : "")}.";
}
