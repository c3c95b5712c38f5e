using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.V1;
using Parallax.Swarm.Members;

namespace Parallax.Cli.Swarm;

/// <summary>Calls to the scheduler that leads, found through any member.</summary>
internal sealed class SchedulerLink(MemberConnection member) : IDisposable
{
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(30); // planning for a large swarm takes seconds
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10); // another scheduler takes over within three
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private Uri? _address; // null: the member itself
    private GrpcChannel? _channel;

    /// <summary>What the member knows of the swarm.</summary>
    public Task<SwarmStatus> StatusAsync(CancellationToken stop) => member.CallAsync(
        async () => await new Contracts.V1.Swarm.SwarmClient(member.Channel).GetStatusAsync(new GetStatusRequest(), deadline: Deadline(), cancellationToken: stop), stop);

    /// <summary>Makes a call at the scheduler that leads; while none does, it waits some seconds for one. A command may be sent several times under its id.</summary>
    /// <exception cref="SwarmCommandException">It is refused, or there is no scheduler.</exception>
    public async Task<T> CallAsync<T>(Func<Contracts.V1.Scheduler.SchedulerClient, CallOptions, Task<T>> call, CancellationToken stop)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await call(
                    new Contracts.V1.Scheduler.SchedulerClient(_channel ?? member.Channel), new CallOptions(deadline: Deadline(), cancellationToken: stop));
            }
            catch (RpcException e) when (stop.IsCancellationRequested)
            {
                throw new OperationCanceledException("The call was given up.", e, stop);
            }
            catch (RpcException e)
            {
                var step = SchedulerSearch.After(e, _address ?? member.Address, isFirst: _channel is null);
                if (step.Action == SearchAction.GiveUp || TimeProvider.System.GetElapsedTime(begin) > Patience)
                {
                    throw Refused(e);
                }

                if (step.Action == SearchAction.LookUp)
                {
                    step = new SearchStep(SearchAction.Ask, await LookUpAsync(stop));
                }

                if (step.Address is { } next && next != _address)
                {
                    Turn(next);
                }
                else
                {
                    await Task.Delay(Pause, stop);
                }
            }
        }
    }

    public void Dispose() => _channel?.Dispose();

    private async Task<Uri> LookUpAsync(CancellationToken stop)
    {
        var status = await StatusAsync(stop);
        return SchedulerSearch.Address(status.Plan?.SchedulerAddress)
            ?? throw new SwarmCommandException(
                $"The member at {member.Address.Authority} has no scheduler and knows of none; name the one that runs it with --at HOST:PORT.");
    }

    private void Turn(Uri address)
    {
        _channel?.Dispose();
        _channel = MemberChannels.Open(member.Credentials, address, expected: null);
        _address = address;
    }

    private SwarmCommandException Refused(RpcException e)
    {
        var asked = (_address ?? member.Address).Authority;
        return new SwarmCommandException(
            e.StatusCode switch
            {
                StatusCode.Unavailable or StatusCode.DeadlineExceeded => $"No scheduler answers at {asked}: {e.Status.Detail}",
                StatusCode.Unimplemented => $"There is no scheduler at {asked} any more, and no other one leads.",
                StatusCode.PermissionDenied => $"{e.Status.Detail}. Commands take the admin's or scheduler's role, as the founder's state folder has it (--state).",
                _ => e.Status.Detail,
            },
            e);
    }

    private static DateTime Deadline() => (TimeProvider.System.GetUtcNow() + CallTime).UtcDateTime;
}
