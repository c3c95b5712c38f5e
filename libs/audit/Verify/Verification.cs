using Parallax.EventStore;

namespace Parallax.Audit.Verify;

/// <summary>Verifies an event store.</summary>
public static class Verification
{
    private const int EventsAReport = 4096;
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads all events and checks them (<see cref="VerificationReport"/>).</summary>
    /// <param name="store">The store.</param>
    /// <param name="options">What to compare with.</param>
    /// <param name="clock">Times the waiting for events that are under way.</param>
    /// <param name="progress">Told how many events were read, now and then; null tells nobody.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EventStoreException">The store cannot be read.</exception>
    public static async Task<VerificationReport> RunAsync(
        IEventStore store, VerifyOptions options, TimeProvider clock, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        return (await ReadAsync(store, options, clock, progress, cancellationToken)).Report;
    }

    /// <summary>As above; gives also what is known of each stream.</summary>
    internal static async Task<(VerificationReport Report, AuditVerifier Verifier)> ReadAsync(
        IEventStore store, VerifyOptions options, TimeProvider clock, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var verifier = new AuditVerifier(options);
        var position = await ReadAsync(store, verifier, 0, progress, cancellationToken);

        // Routers may be writing: a checkpoint can be here before events that it lists.
        for (var waited = TimeSpan.Zero; verifier.IsWaiting && waited < options.Patience; waited += LookAgainAfter)
        {
            await Task.Delay(LookAgainAfter, clock, cancellationToken);
            position = await ReadAsync(store, verifier, position, progress, cancellationToken);
        }

        foreach (var check in verifier.TakeChecks())
        {
            verifier.Answer(check, await FindAsync(store, check, cancellationToken));
        }

        progress?.Report(verifier.Events);
        return (verifier.Finish(), verifier);
    }

    private static async Task<long> ReadAsync(
        IEventStore store, AuditVerifier verifier, long position, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await foreach (var stored in store.ReadAllAsync(position, cancellationToken))
        {
            verifier.Add(stored);
            position = stored.Position;
            if (progress is not null && verifier.Events % EventsAReport == 0)
            {
                progress.Report(verifier.Events);
            }
        }

        return position;
    }

    private static async Task<StoredEvent?> FindAsync(IEventStore store, PointCheck check, CancellationToken cancellationToken)
    {
        await foreach (var stored in store.ReadAsync(check.Stream, check.Length, cancellationToken))
        {
            return stored;
        }

        return null;
    }
}
