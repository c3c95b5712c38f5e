using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Swarm.Members;

namespace Parallax.Cli.Swarm;

/// <summary>The scheduler that leads: this process's own, or one on another port that took the term while this process was away.</summary>
/// <param name="credentials">Who asks. Stay the caller's.</param>
/// <param name="own">Where this process's scheduler answers.</param>
internal sealed class LeadingScheduler(SwarmCredentials credentials, Uri own) : IDisposable
{
    private const int Attempts = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private GrpcChannel _channel = MemberChannels.Open(credentials, own, credentials.Self);

    /// <summary>Sends a command; it may take a moment until anybody leads.</summary>
    /// <exception cref="SwarmCommandException">It is refused, or nobody leads.</exception>
    public async Task CommandAsync<T>(Func<Contracts.V1.Scheduler.SchedulerClient, AsyncUnaryCall<T>> command, CancellationToken stop)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await command(new Contracts.V1.Scheduler.SchedulerClient(_channel));
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
            {
                return; // there was no such pin
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.FailedPrecondition or StatusCode.Unavailable && attempt < Attempts)
            {
                Turn(e);
                await Task.Delay(Pause, stop);
            }
            catch (RpcException e)
            {
                throw new SwarmCommandException($"The scheduler does not take the model: {e.Status.Detail}", e);
            }
        }
    }

    public void Dispose() => _channel.Dispose();

    /// <summary>To the one that leads, as the one that was asked says; back to our own if that says nothing.</summary>
    private void Turn(RpcException refusal)
    {
        var leads = PeerId.TryParse(refusal.Trailers.GetValue("parallax-leader-id") ?? "", out var id)
            && Uri.TryCreate(refusal.Trailers.GetValue("parallax-leader-address"), UriKind.Absolute, out var address) ? (address, id) : (own, credentials.Self);
        _channel.Dispose();
        _channel = MemberChannels.Open(credentials, leads.Item1, leads.Item2);
    }
}
