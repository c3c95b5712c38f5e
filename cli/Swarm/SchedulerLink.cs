using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Swarm.Members;

namespace Parallax.Cli.Swarm;

/// <summary>Calls to the scheduler that leads, found through any member.</summary>
/// <param name="credentials">Who asks. Stay the caller's.</param>
/// <param name="member">The member.</param>
/// <param name="patience">How long to wait for a scheduler that leads.</param>
internal sealed class SchedulerLink(SwarmCredentials credentials, Uri member, TimeSpan patience) : IDisposable
{
    /// <summary>How long a person waits: another scheduler takes over within three seconds.</summary>
    public static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(30); // planning for a large swarm takes seconds
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly GrpcChannel _first = MemberChannels.Open(credentials, member, expected: null);
    private Uri? _address; // null: the member itself
    private GrpcChannel? _channel;

    /// <summary>What the member knows of the swarm.</summary>
    /// <exception cref="SwarmCommandException">It does not answer.</exception>
    public async Task<SwarmStatus> StatusAsync(CancellationToken stop)
    {
        try
        {
            return await new Contracts.V1.Swarm.SwarmClient(_first).GetStatusAsync(new GetStatusRequest(), deadline: Deadline(), cancellationToken: stop);
        }
        catch (RpcException e) when (stop.IsCancellationRequested)
        {
            throw new OperationCanceledException("The call was given up.", e, stop);
        }
        catch (RpcException e)
        {
            throw new SwarmCommandException($"The member at {member.Authority} does not answer: {e.Status.Detail}", e);
        }
    }

    /// <summary>Makes a call at the scheduler that leads; while none does, it waits some seconds for one. A command may be sent several times under its id.</summary>
    /// <exception cref="SwarmCommandException">It is refused, or there is no scheduler; its cause is the <see cref="RpcException"/>.</exception>
    public async Task<T> CallAsync<T>(Func<Contracts.V1.Scheduler.SchedulerClient, CallOptions, Task<T>> call, CancellationToken stop)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await call(
                    new Contracts.V1.Scheduler.SchedulerClient(_channel ?? _first), new CallOptions(deadline: Deadline(), cancellationToken: stop));
            }
            catch (RpcException e) when (stop.IsCancellationRequested)
            {
                throw new OperationCanceledException("The call was given up.", e, stop);
            }
            catch (RpcException e)
            {
                var step = SchedulerSearch.After(e, _address ?? member, isFirst: _channel is null);
                if (step.Action == SearchAction.GiveUp || TimeProvider.System.GetElapsedTime(begin) > patience)
                {
                    throw Refused(e);
                }

                if (step.Action == SearchAction.LookUp)
                {
                    step = await LookUpAsync(stop);
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

    public void Dispose()
    {
        _channel?.Dispose();
        _first.Dispose();
    }

    /// <summary>Whom the plan names; if that is the one that has just failed, or nobody, the member itself is asked again.</summary>
    private async Task<SearchStep> LookUpAsync(CancellationToken stop)
    {
        var status = await StatusAsync(stop);
        var planned = SchedulerSearch.Address(status.Plan?.SchedulerAddress);
        if (planned is not null && planned != _address)
        {
            return new SearchStep(SearchAction.Ask, planned);
        }

        if (_channel is null)
        {
            throw new SwarmCommandException(
                $"The member at {member.Authority} has no scheduler and knows of none; name the one that runs it with --at HOST:PORT.");
        }

        _channel.Dispose();
        (_channel, _address) = (null, null);
        return new SearchStep(SearchAction.Wait);
    }

    private void Turn(Uri address)
    {
        _channel?.Dispose();
        _channel = MemberChannels.Open(credentials, address, expected: null);
        _address = address;
    }

    private SwarmCommandException Refused(RpcException e)
    {
        var asked = (_address ?? member).Authority;
        return new SwarmCommandException(
            e.StatusCode switch
            {
                StatusCode.Unavailable or StatusCode.DeadlineExceeded => $"No scheduler answers at {asked}: {e.Status.Detail}",
                StatusCode.Unimplemented => $"There is no scheduler at {asked} any more, and no other one leads.",
                StatusCode.PermissionDenied => $"{e.Status.Detail.TrimEnd('.')}. Commands take the admin's or scheduler's role, as the founder's state folder has it (--state).",
                _ => e.Status.Detail,
            },
            e);
    }

    private static DateTime Deadline() => (TimeProvider.System.GetUtcNow() + CallTime).UtcDateTime;
}
