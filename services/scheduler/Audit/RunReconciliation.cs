using Parallax.EventStore;

namespace Parallax.Scheduler.Audit;

/// <summary>What to do with a run of events whose plain append was refused, by what the store has at its places. Pure.</summary>
internal static class RunReconciliation
{
    /// <param name="run">The run.</param>
    /// <param name="version">The version of the stream's last event; 0: it is empty.</param>
    /// <param name="stored">The stream's events from the run's first number on, in order.</param>
    public static RunOutcome Decide(StreamRun run, long version, IReadOnlyList<StoredEvent> stored)
    {
        if (version < run.First - 1)
        {
            return new RunOutcome.Gap(version);
        }

        for (var i = 0; i < stored.Count && i < run.Events.Length; i++)
        {
            var (there, here) = (stored[i], run.Events[i]);
            if (there.Version != run.First + i)
            {
                return new RunOutcome.Fork(run.First + i); // a stream with a hole: somebody has deleted events
            }

            if (there.Id != here.Id || there.Type != here.Type || !there.Payload.Span.SequenceEqual(here.Payload.Span))
            {
                return new RunOutcome.Fork(there.Version);
            }
        }

        return stored.Count >= run.Events.Length ? new RunOutcome.Stored() : new RunOutcome.Rest(stored.Count);
    }
}

/// <summary>What follows.</summary>
internal abstract record RunOutcome
{
    private RunOutcome()
    {
    }

    /// <summary>All of it is stored.</summary>
    public sealed record Stored : RunOutcome;

    /// <summary>The first of its events are stored; the rest is to be appended.</summary>
    /// <param name="Skip">How many are.</param>
    public sealed record Rest(int Skip) : RunOutcome;

    /// <summary>Events before it are missing.</summary>
    /// <param name="Version">The version of the stream's last event.</param>
    public sealed record Gap(long Version) : RunOutcome;

    /// <summary>The stream has another event at a place of it.</summary>
    /// <param name="Number">The place.</param>
    public sealed record Fork(long Number) : RunOutcome;
}
