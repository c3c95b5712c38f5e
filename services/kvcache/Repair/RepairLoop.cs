using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.KvBlocks;
using Parallax.KvClient;
using Parallax.KvClient.Calls;
using Parallax.KvClient.Instances;
using Parallax.Swarm.Members;

namespace Parallax.KvCache.Repair;

/// <summary>
/// Makes missing copies again. When an instance has come or gone this one looks through its own parts and offers those whose set of holders
/// has changed to who is new in it; from time to time it offers all of them, for what was missed. What the other one has it does not take again, so
/// that it does no harm that all holders offer. Paced, so that serving goes first.
/// </summary>
internal sealed partial class RepairLoop(
    BlockStore store, OverlayInstances instances, KvCacheClient client, SwarmMember member, KvCacheOptions options, Observability.KvCacheInstruments instruments, TimeProvider clock, ILogger<RepairLoop> logger) : IAsyncDisposable
{
    private const int StepParts = 1024;

    // A rolling restart changes the set several times: wait until it has settled.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    // What an instance did not take, because it failed or had no room, is offered again.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Begins; the member has joined.</summary>
    public void Start() => _loop = RunAsync(_stopping.Token);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
    }

    private async Task RunAsync(CancellationToken stop)
    {
        var offered = ImmutableArray<KvInstance>.Empty;
        var isComplete = true;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var changed = instances.Changed;
                var now = instances.Current;
                if (now.Any(instance => instance.Id == member.Self) && !now.SequenceEqual(offered))
                {
                    isComplete = await OfferAsync(offered, now, stop);
                    offered = now;
                }

                await Task.WhenAny(changed, Task.Delay(isComplete || options.RepairEvery < Again ? options.RepairEvery : Again, clock, stop));
                if (!changed.IsCompleted)
                {
                    offered = []; // all of them, from time to time
                    continue;
                }

                await Task.Delay(Settle, clock, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogFailed(e);
                await Task.Delay(Settle, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Looks through the store once; whether all copies are there that should be.</summary>
    private async Task<bool> OfferAsync(ImmutableArray<KvInstance> before, ImmutableArray<KvInstance> now, CancellationToken stop)
    {
        var (sent, missed, from) = (0, 0, 0);
        var found = new List<ScannedPart>();
        do
        {
            found.Clear();
            from = store.Scan(from, StepParts, found);
            foreach (var ((tenant, receiver), parts) in Share(found, before, now))
            {
                var began = clock.GetTimestamp();
                var outcome = await client.PutToAsync(receiver, tenant, [.. parts.Select(part => (IPartSource)new StoreSource(store, part))], stop);
                sent += outcome.Sent;
                missed += outcome.Missed;
                instruments.OnRepaired(outcome.Sent);
                var bytes = outcome.Sent * parts.Average(static part => (double)part.Length);
                var pause = TimeSpan.FromSeconds(bytes / options.RepairBytesPerSecond) - clock.GetElapsedTime(began);
                if (pause > TimeSpan.Zero)
                {
                    await Task.Delay(pause, clock, stop);
                }
            }

            stop.ThrowIfCancellationRequested();
        }
        while (from > 0);

        if (sent > 0 || missed > 0)
        {
            LogOffered(now.Length, sent, missed);
        }

        return missed == 0;
    }

    private Dictionary<(TenantId Tenant, PeerId Receiver), List<ScannedPart>> Share(List<ScannedPart> found, ImmutableArray<KvInstance> before, ImmutableArray<KvInstance> now)
    {
        var shares = new Dictionary<(TenantId, PeerId), List<ScannedPart>>();
        foreach (var part in found)
        {
            foreach (var receiver in RepairPlan.Receivers(part.Address.Hash, member.Self, before, now, options.Copies))
            {
                if (!shares.TryGetValue((part.Tenant, receiver.Id), out var share))
                {
                    shares.Add((part.Tenant, receiver.Id), share = []);
                }

                share.Add(part);
            }
        }

        return shares;
    }

    [LoggerMessage(225, LogLevel.Information, "There are {Instances} instances now; {Sent} copies were made at those that lacked them, {Missed} were not")]
    private partial void LogOffered(int instances, int sent, int missed);

    [LoggerMessage(226, LogLevel.Error, "Copies could not be made; it is tried again")]
    private partial void LogFailed(Exception problem);
}
