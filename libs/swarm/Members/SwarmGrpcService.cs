using System.Net;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;

namespace Parallax.Swarm.Members;

/// <summary>A member's side of the calls between members.</summary>
/// <param name="member">The member.</param>
/// <param name="credentials">Who dials back.</param>
/// <param name="leaving">Told when somebody asks this member to leave.</param>
/// <param name="clock">Clock.</param>
public sealed class SwarmGrpcService(SwarmMember member, SwarmCredentials credentials, LeaveSignal leaving, TimeProvider clock) : Contracts.V1.Swarm.SwarmBase
{
    private static readonly TimeSpan DialTime = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public override Task<ProbeMemberReply> Probe(ProbeMemberRequest request, ServerCallContext context) => Task.FromResult(member.Answer(request));

    /// <inheritdoc/>
    public override Task<AnnounceReply> Announce(AnnounceRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        var reason = member.Accept(request.Record.Memory);
        return Task.FromResult(new AnnounceReply { Accepted = reason is null, Reason = reason ?? "" });
    }

    /// <inheritdoc/>
    public override Task<SwarmStatus> GetStatus(GetStatusRequest request, ServerCallContext context)
    {
        var (map, now) = (member.Map, member.Now);
        var status = new SwarmStatus
        {
            Swarm = member.Swarm,
            Self = member.Self.ToString(),
            Plan = map.Plan,
            PlanExpired = map.Plan is not null && !map.HasLivePlan(now),
            Telemetry = member.NewsBy,
        };
        status.Workers.Add(map.Present(now).Select(static worker => worker.Record));
        status.Links.Add(map.Workers.Values.Where(worker => worker.Id != member.Self).Select(static worker => new MemberLink
        {
            WorkerId = worker.Id.ToString(),
            State = worker.IsLost ? "dead" : worker.RoundTrip is null ? "connecting" : "connected",
            RttMs = worker.RoundTrip?.TotalMilliseconds ?? 0,
        }));
        return Task.FromResult(status);
    }

    /// <inheritdoc/>
    public override async Task<DialBackReply> DialBack(DialBackRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        if (!Uri.TryCreate(request.Address, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.AbsolutePath != "/")
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"'{request.Address}' is not an address like https://10.0.0.2:7100."));
        }

        if (!PeerId.TryParse(request.WorkerId, out var expected))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"'{request.WorkerId}' is no peer id."));
        }

        var reply = new DialBackReply { ObservedAddress = Observed(context) };
        var begin = clock.GetTimestamp();
        using var channel = MemberChannels.Open(credentials, address, expected);
        try
        {
            await new Contracts.V1.Swarm.SwarmClient(channel).ProbeAsync(
                new ProbeMemberRequest(), deadline: (clock.GetUtcNow() + DialTime).UtcDateTime, cancellationToken: context.CancellationToken);
            reply.Reachable = true;
            reply.RttMs = clock.GetElapsedTime(begin).TotalMilliseconds;
        }
        catch (RpcException e) when (!context.CancellationToken.IsCancellationRequested)
        {
            reply.Problem = e.Status.Detail;
        }

        return reply;
    }

    /// <inheritdoc/>
    public override Task<LeaveReply> Leave(LeaveRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        var caller = SwarmCredentials.CallerOf(context.GetHttpContext());
        if (caller is null || (caller.Id != member.Self && (caller.Roles & (MemberRoles.Admin | MemberRoles.Scheduler)) == MemberRoles.None))
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, "Only the member itself, an admin or a scheduler may ask it to leave."));
        }

        leaving.Signal(request.Reason);
        return Task.FromResult(new LeaveReply());
    }

    private static string Observed(ServerCallContext context)
    {
        var address = context.GetHttpContext().Connection.RemoteIpAddress;
        return (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address ?? IPAddress.None).ToString();
    }
}
