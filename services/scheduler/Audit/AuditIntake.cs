using System.Collections.Immutable;
using System.Globalization;
using Parallax.EventStore;

namespace Parallax.Scheduler.Audit;

/// <summary>
/// Stores batches: the streams of one side by side, the runs of one stream one after the other. A store that is away is waited for
/// without limit; a run whose predecessors are missing waits a while for them. Thread-safe; as many runs are in it as its caller
/// puts there at once.
/// </summary>
internal sealed partial class AuditIntake(IEventStore store, TimeProvider clock, AuditInstruments instruments, ILogger<AuditIntake> logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new(); // guards the two below
    private readonly Dictionary<string, Task> _turns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TaskCompletionSource> _advances = new(StringComparer.Ordinal);
    private readonly GivenUpStreams _givenUp = new();
    private int _isStoreAway;

    /// <summary>Stores the runs. When it throws, those of other streams are stored all the same.</summary>
    /// <param name="runs">Of one batch: a stream at most once.</param>
    /// <param name="patience">How long to wait for missing predecessors.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AuditRejectedException">A run can not be stored: a fork, or its predecessors did not come within the patience.</exception>
    public async Task StoreAsync(ImmutableArray<StreamRun> runs, TimeSpan patience, CancellationToken cancellationToken)
    {
        var storing = runs.Select(run => StoreAsync(run, patience, cancellationToken)).ToList();
        await Task.WhenAll(storing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        var problems = storing.Select(static one => one.Exception?.InnerException).OfType<Exception>().ToList();

        // A fork stays one; what only lacks its predecessors may still get them.
        var worst = problems.FirstOrDefault(static one => one is not AuditRejectedException { Kind: AuditRejection.Gap }) ?? problems.FirstOrDefault();
        if (worst is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(worst);
        }
    }

    /// <summary>Runs of this stream wait for nothing any more: what they lack is in the error queue.</summary>
    public void GiveUp(string stream) => _givenUp.Add(stream);

    private async Task StoreAsync(StreamRun run, TimeSpan patience, CancellationToken cancellationToken)
    {
        var startedAt = clock.GetTimestamp();
        try
        {
            while (true)
            {
                var advanced = Advanced(run.Stream);
                var outcome = await InTurnAsync(run, cancellationToken);
                switch (outcome)
                {
                    case RunOutcome.Fork fork:
                        throw new AuditRejectedException(
                            AuditRejection.Fork, $"Stream '{run.Stream}' has another event at {fork.Number.ToString(CultureInfo.InvariantCulture)} than the one that came.", run.Stream);
                    case RunOutcome.Gap gap:
                        var left = _givenUp.Contains(run.Stream) ? TimeSpan.Zero : patience - clock.GetElapsedTime(startedAt);
                        if (left <= TimeSpan.Zero)
                        {
                            throw new AuditRejectedException(
                                AuditRejection.Gap,
                                string.Create(CultureInfo.InvariantCulture, $"Stream '{run.Stream}' has {gap.Version} events; those from {gap.Version + 1} to {run.First - 1} did not come."),
                                run.Stream);
                        }

                        // A store that others append to as well tells nobody here, so it is looked at again at times.
                        await Task.WhenAny(advanced, Task.Delay(left < LongestPause ? left : LongestPause, clock, cancellationToken));
                        cancellationToken.ThrowIfCancellationRequested();
                        break;
                    default:
                        return;
                }
            }
        }
        finally
        {
            OnAdvanced(run.Stream); // also when it is given up: nothing may stay behind
        }
    }

    /// <summary>Waits for the stream's earlier runs, then appends.</summary>
    private async Task<RunOutcome> InTurnAsync(StreamRun run, CancellationToken cancellationToken)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? before;
        lock (_gate)
        {
            _turns.TryGetValue(run.Stream, out before);
            _turns[run.Stream] = mine.Task;
        }

        try
        {
            if (before is not null)
            {
                await before; // ends also when its run is given up
            }

            return await PersistAsync(run, cancellationToken);
        }
        finally
        {
            lock (_gate)
            {
                if (_turns[run.Stream] == mine.Task)
                {
                    _turns.Remove(run.Stream);
                }
            }

            mine.SetResult();
        }
    }

    private async Task<RunOutcome> PersistAsync(StreamRun run, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (true)
        {
            try
            {
                var outcome = await AppendAsync(run, cancellationToken);
                if (Interlocked.Exchange(ref _isStoreAway, 0) == 1)
                {
                    LogStoreBack();
                }

                return outcome;
            }
            catch (EventStoreException problem)
            {
                instruments.OnStoreFailed();
                if (Interlocked.Exchange(ref _isStoreAway, 1) == 0)
                {
                    LogStoreAway(problem.Message);
                }

                await Task.Delay(pause, clock, cancellationToken);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private async Task<RunOutcome> AppendAsync(StreamRun run, CancellationToken cancellationToken)
    {
        try
        {
            switch (await store.AppendAsync(run.Stream, run.First - 1, run.Events, cancellationToken))
            {
                case AppendResult.Appended appended:
                    instruments.OnStored(run.Events.Length, appended.IsRepeat ? run.Events.Length : 0);
                    return new RunOutcome.Stored();
                case AppendResult.Conflict conflict when conflict.ActualVersion < run.First - 1:
                    return new RunOutcome.Gap(conflict.ActualVersion);
                default:
                    break;
            }
        }
        catch (EventIdTakenException)
        {
            // Some of the events are stored and some not: a router that lost an answer has cut them otherwise. Or the ids are stolen.
        }

        var (version, stored) = await ReadAsync(run, cancellationToken);
        switch (RunReconciliation.Decide(run, version, stored))
        {
            case RunOutcome.Rest rest:
                return await AppendRestAsync(run, rest.Skip, cancellationToken);
            case RunOutcome.Stored:
                instruments.OnStored(run.Events.Length, run.Events.Length);
                return new RunOutcome.Stored();
            case var other:
                return other;
        }
    }

    private async Task<RunOutcome> AppendRestAsync(StreamRun run, int skip, CancellationToken cancellationToken)
    {
        var first = run.First + skip;
        try
        {
            if (await store.AppendAsync(run.Stream, first - 1, run.Events[skip..], cancellationToken) is AppendResult.Appended)
            {
                instruments.OnStored(run.Events.Length, skip);
                return new RunOutcome.Stored();
            }
        }
        catch (EventIdTakenException)
        {
            // An id of the rest belongs to an event of another stream.
        }

        return new RunOutcome.Fork(first);
    }

    private async Task<(long Version, List<StoredEvent> Stored)> ReadAsync(StreamRun run, CancellationToken cancellationToken)
    {
        var stored = new List<StoredEvent>(run.Events.Length);
        var version = 0L;
        await foreach (var one in store.ReadAsync(run.Stream, Math.Max(1, run.First - 1), cancellationToken))
        {
            version = one.Version;
            if (one.Version >= run.First)
            {
                stored.Add(one);
            }

            if (stored.Count == run.Events.Length)
            {
                break;
            }
        }

        return (version, stored);
    }

    private Task Advanced(string stream)
    {
        lock (_gate)
        {
            // Only a stream that somebody appends to has an entry, and it goes with the append.
            if (!_advances.TryGetValue(stream, out var next))
            {
                _advances[stream] = next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return next.Task;
        }
    }

    private void OnAdvanced(string stream)
    {
        lock (_gate)
        {
            if (_advances.Remove(stream, out var next))
            {
                next.SetResult();
            }
        }
    }

    [LoggerMessage(70, LogLevel.Error, "Audit events wait in their queue, because the event store cannot be used: {Problem}")]
    private partial void LogStoreAway(string problem);

    [LoggerMessage(71, LogLevel.Information, "The event store can be used again; audit events that waited are stored")]
    private partial void LogStoreBack();
}
