using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.Identity.Authority;
using Parallax.Identity.Revocation;

namespace Parallax.Identity.Membership;

/// <summary>The calls by which peers become and stay members.</summary>
internal sealed partial class MembershipService(
    SwarmCredentials credentials, MembershipOptions options, TimeProvider clock, ILogger<MembershipService> logger)
    : Contracts.V1.Membership.MembershipBase
{
    private readonly AttemptLimiter _refused = new(options.RefusedAttempts, options.AttemptWindow);

    public override async Task<MembershipGrant> Join(JoinRequest request, ServerCallContext context)
    {
        try
        {
            return await JoinAsync(request, context.GetHttpContext().Connection.RemoteIpAddress, context.CancellationToken);
        }
        catch (IdentityException e)
        {
            throw Broken(e);
        }
    }

    public override Task<MembershipGrant> Renew(RenewRequest request, ServerCallContext context)
    {
        var caller = CallerOf(context);
        var authority = options.Authority ?? throw NoAuthority();
        try
        {
            if (Refresh(authority).Contains(caller.Id))
            {
                throw new RpcException(new Status(StatusCode.PermissionDenied, $"Peer {caller.Id} is revoked."));
            }

            var grant = Grant(authority, caller.PublicKey.Span, caller.Roles);
            LogRenewed(caller.Id.ToString());
            return Task.FromResult(grant);
        }
        catch (IdentityException e)
        {
            throw Broken(e);
        }
    }

    public override Task<RevocationsReply> Revocations(RevocationsRequest request, ServerCallContext context)
    {
        var known = credentials.Revocations; // where the swarm's key is, the watch on its folder keeps them new
        return Task.FromResult(new RevocationsReply
        {
            Revocations = known.Version > request.Version ? ByteString.CopyFrom(known.Envelope.Span) : ByteString.Empty,
        });
    }

    private async Task<MembershipGrant> JoinAsync(JoinRequest request, IPAddress? address, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (!_refused.IsAllowed(address, now))
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "Too many refused attempts to join from this address: wait a minute."));
        }

        var revocations = options.Authority is { } holder ? Refresh(holder) : credentials.Revocations;
        var verdict = JoinPolicy.Decide(request, credentials.SwarmPublicKey.Span, revocations, now);
        if (verdict.Token is not { } token)
        {
            _refused.TryTake(address, now);
            LogRefused(address, verdict.Reason);
            throw new RpcException(new Status(verdict.Code, verdict.Reason));
        }

        var authority = options.Authority ?? throw NoAuthority();
        var grant = Grant(authority, request.PublicKey.Span, token.Roles);
        await authority.RecordAsync(
            new JoinedMember
            {
                Peer = verdict.Peer.ToString(),
                Token = token.Id.ToString(),
                Roles = token.Roles.ToText(),
                Address = address?.ToString() ?? "?",
                At = now,
            },
            cancellationToken);
        LogJoined(verdict.Peer.ToString(), token.Roles.ToText(), token.Id.ToString(), address);
        return grant;
    }

    /// <summary>What the folder says now: a command may have revoked somebody a moment ago.</summary>
    private RevocationSet Refresh(SwarmAuthority authority)
    {
        var present = authority.Revocations;
        if (present.Version > credentials.Revocations.Version)
        {
            credentials.ApplyRevocations(present.Envelope.Span);
        }

        return present;
    }

    private static MembershipGrant Grant(SwarmAuthority authority, ReadOnlySpan<byte> publicKey, MemberRoles roles) => new()
    {
        Certificate = ByteString.CopyFrom(authority.Issue(publicKey, roles)),
        CaCertificate = ByteString.CopyFrom(authority.Certificate.Span),
        Revocations = ByteString.CopyFrom(authority.Revocations.Envelope.Span),
    };

    private static MemberIdentity CallerOf(ServerCallContext context) => SwarmCredentials.CallerOf(context.GetHttpContext())
        ?? throw new RpcException(new Status(StatusCode.Unauthenticated, "Renewing takes a certificate that is still valid: join again with a token."));

    private RpcException Broken(IdentityException problem)
    {
        LogBroken(problem.Message);
        return new RpcException(new Status(StatusCode.Unavailable, "This member cannot give out certificates now; its log says why."));
    }

    private RpcException NoAuthority() => new(new Status(
        StatusCode.FailedPrecondition,
        options.IssuerAddress() is { } issuer
            ? $"This member does not hold the swarm's key; ask the one at {issuer}."
            : "This member does not hold the swarm's key; ask the one that founded the swarm."));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused to let {Address} join: {Reason}")]
    private partial void LogRefused(IPAddress? address, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Cannot give out certificates: {Reason}")]
    private partial void LogBroken(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Peer} joined as {Roles} with token {Token} from {Address}")]
    private partial void LogJoined(string peer, string roles, string token, IPAddress? address);

    [LoggerMessage(Level = LogLevel.Information, Message = "Renewed the certificate of {Peer}")]
    private partial void LogRenewed(string peer);
}
