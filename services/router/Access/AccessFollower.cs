using Parallax.Audit.Chain;
using Parallax.EventStore;
using Parallax.Router.Access.Keys;
using Parallax.Router.Access.Quotas;

namespace Parallax.Router.Access;

/// <summary>
/// Follows the event store: the keys, and what they use on other routers. While the store cannot be reached, what is known stays,
/// and the log and the readiness say so.
/// </summary>
internal sealed partial class AccessFollower(
    IServiceProvider services, KeyDirectory keys, QuotaLedger ledger, OwnStreams own, TimeProvider clock, string storeName, ILogger<AccessFollower> logger) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>How far clocks of programs that append events may be apart.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromHours(1);

    private readonly SharedUsage _usage = new(ledger, own.Contains, key => keys.Ring.Keys.TryGetValue(key, out var known) && known.RevokedAt is null);
    private long _version; // of the last event of keys that was read
    private long? _position; // of the last event that was read; null before any
    private bool _isUnreadableSaid;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = FirstPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var store = services.GetRequiredService<IEventStore>();
                await CatchUpAsync(store, stoppingToken);
                pause = FirstPause;
                await foreach (var stored in store.SubscribeAsync(_position!.Value, stoppingToken))
                {
                    Apply(stored);
                }

                keys.MarkOld("The event store ended the subscription."); // only one that is disposed of does
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it was: requests are served with the keys that are known, and the store is tried again.
                if (keys.Problem is null)
                {
                    LogLost(e.Message);
                }

                keys.MarkOld(e.Message);
            }

            await Task.Delay(pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    /// <summary>Reads what is there: first the keys, because only their use counts, then the day's use.</summary>
    private async Task CatchUpAsync(IEventStore store, CancellationToken stoppingToken)
    {
        await foreach (var stored in store.ReadAsync(KeyStore.Stream, _version + 1, stoppingToken))
        {
            ApplyKey(stored);
        }

        _position ??= await DayStart.FindAsync(
            new DateTimeOffset(clock.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero) - Skew, after => NextAsync(store, after, stoppingToken));
        await foreach (var stored in store.ReadAllAsync(_position.Value, stoppingToken))
        {
            Apply(stored);
        }

        var (isFirst, wasOld) = (!keys.IsLoaded, keys.Problem is not null);
        keys.MarkLoaded();
        if (wasOld)
        {
            LogFound();
        }

        if (isFirst && keys.Ring.Count == 0)
        {
            LogNoKeys(storeName);
        }
    }

    private static async Task<(long Position, DateTimeOffset At)?> NextAsync(IEventStore store, long after, CancellationToken stoppingToken)
    {
        await foreach (var stored in store.ReadAllAsync(after, stoppingToken))
        {
            return (stored.Position, stored.RecordedAt);
        }

        return null;
    }

    private void Apply(StoredEvent stored)
    {
        if (stored.Stream == KeyStore.Stream)
        {
            ApplyKey(stored);
        }
        else
        {
            try
            {
                _usage.Apply(stored);
            }
            catch (AuditFormatException e)
            {
                if (!_isUnreadableSaid)
                {
                    _isUnreadableSaid = true;
                    LogUnreadableUse(stored.Stream, e.Message);
                }
            }
        }

        _position = stored.Position;
    }

    private void ApplyKey(StoredEvent stored)
    {
        if (stored.Version <= _version)
        {
            return;
        }

        var happened = KeyCodec.Decode(stored.Type, stored.Payload);
        if (happened is UnreadableKeyEvent unreadable)
        {
            LogUnreadableKey(stored.Version, unreadable.Type, unreadable.Problem);
        }

        keys.Publish(KeyRing.Evolve(keys.Ring, happened));
        _version = stored.Version;
        if (happened is KeyRevoked)
        {
            ledger.Forget(key => keys.Ring.Keys.TryGetValue(key, out var known) && known.RevokedAt is null);
        }
    }

    [LoggerMessage(90, LogLevel.Warning, "API keys cannot be followed in the event store; those that are known stay in use, and what is created or revoked is not noticed: {Problem}")]
    private partial void LogLost(string problem);

    [LoggerMessage(91, LogLevel.Information, "API keys are followed in the event store again")]
    private partial void LogFound();

    [LoggerMessage(92, LogLevel.Warning, "Requests need an API key, and there is none yet. Create one: parallax key create --name NAME --store '{Store}'")]
    private partial void LogNoKeys(string store);

    [LoggerMessage(93, LogLevel.Error, "Event {Version} of the API keys ('{Type}') is ignored, because it cannot be read: {Problem}")]
    private partial void LogUnreadableKey(long version, string type, string problem);

    [LoggerMessage(94, LogLevel.Warning, "Some use of API keys on other routers is not counted: an event of '{Stream}' cannot be read: {Problem}")]
    private partial void LogUnreadableUse(string stream, string problem);
}
