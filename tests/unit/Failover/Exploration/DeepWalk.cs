namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>One random run through a world that is too large to be looked at whole: for a while anything happens, then nothing goes wrong any more.</summary>
internal static class DeepWalk
{
    private const int CalmSteps = 20_000;

    /// <summary>Runs.</summary>
    /// <param name="settings">The world.</param>
    /// <param name="seed">Of all choices.</param>
    /// <param name="wildSteps">How long faults happen.</param>
    /// <param name="oneInSteps">How seldom one does.</param>
    /// <returns>A violation or a session that is stuck, with the steps that lead to it; null when all went well.</returns>
    public static string? Run(ModelSettings settings, int seed, int wildSteps, int oneInSteps)
    {
        var random = new Random(seed);
        var world = new World(settings);
        var taken = new List<Step>();
        var steps = new List<Step>();
        for (var i = 0; i < wildSteps + CalmSteps; i++)
        {
            var isWild = i < wildSteps;
            if (!isWild && world.IsGoal)
            {
                return null;
            }

            world.List(steps);
            var faults = steps.FindAll(static step => step.IsFault);
            var others = steps.FindAll(step => !step.IsFault && (isWild || !world.IsUnwise(step)));
            var from = isWild && faults.Count > 0 && (random.Next(oneInSteps) == 0 || others.Count == 0) ? faults : others;
            if (from.Count == 0)
            {
                if (isWild)
                {
                    i = wildSteps - 1;
                    continue;
                }

                return Trace.Describe(settings, taken, $"seed {seed}: nothing can happen any more");
            }

            var step = from[random.Next(from.Count)];
            taken.Add(step);
            world = world.After(step);
            if (world.Violation is { } violation)
            {
                return Trace.Describe(settings, taken, $"seed {seed}: {violation}");
            }
        }

        return Trace.Describe(settings, taken, $"seed {seed}: no end in {CalmSteps} steps without a fault");
    }
}
