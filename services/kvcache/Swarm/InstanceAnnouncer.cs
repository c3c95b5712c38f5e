using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.KvClient.Instances;
using Parallax.Swarm;
using Parallax.Swarm.Members;

namespace Parallax.KvCache.Swarm;

/// <summary>Publishes this instance's record in the overlay, so that clients and the other instances find it.</summary>
internal sealed partial class InstanceAnnouncer(
    SwarmMember member, SwarmCredentials credentials, KvCacheOptions options, TimeProvider clock, ILogger<InstanceAnnouncer> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Begins; the member has joined.</summary>
    public void Start()
    {
        if ((credentials.Member.Roles & MemberRoles.KvCache) == 0)
        {
            LogWrongRole(credentials.Member.Roles.ToText());
        }

        _loop = RunAsync(_stopping.Token);
    }

    /// <summary>Takes the record back: nobody is to put anything here any more.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loop;
        try
        {
            await member.Overlay.RemoveAsync(SwarmNames.KvCache(member.Swarm), cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogGoodbyeFailed(e); // its lease ends by itself
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var record = new KvInstanceRecord { InstanceId = member.Self.ToString(), MemoryBudget = options.MemoryBytes, DiskBudget = options.DiskBytes };
                record.Addresses.AddRange(member.Addresses);
                var value = InstanceRecords.Sign(credentials, record, clock.GetUtcNow());
                await member.Overlay.PutAsync(member.Overlay.Seal(SwarmNames.KvCache(member.Swarm), value, options.Lease), stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogFailed(e);
            }

            await Task.Delay(options.Lease / 3, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(220, LogLevel.Error, "This instance's record could not be published; it is tried again")]
    private partial void LogFailed(Exception problem);

    [LoggerMessage(221, LogLevel.Warning, "This instance's record could not be taken back; its lease ends soon")]
    private partial void LogGoodbyeFailed(Exception problem);

    [LoggerMessage(222, LogLevel.Error, "This member's certificate is for '{Roles}' and not for 'kvcache': nobody will use this instance. Join with a token of the role kvcache and another --state")]
    private partial void LogWrongRole(string roles);
}
