using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.Identity.Authority;

namespace Parallax.Identity.Membership;

/// <summary>Renews a member's certificate at the half of its life, and tries on when that fails.</summary>
/// <param name="credentials">The member's.</param>
/// <param name="renew">Gets a grant: <see cref="MembershipClient.RenewAsync"/>, or <see cref="From"/> where the swarm's key is at hand.</param>
/// <param name="folder">Where the new certificate is kept; null: nowhere.</param>
/// <param name="clock">Clock.</param>
/// <param name="logger">Told of successes and failures.</param>
public sealed partial class CertificateRenewal(
    SwarmCredentials credentials,
    Func<CancellationToken, Task<MembershipGrant>> renew,
    StateFolder? folder,
    TimeProvider clock,
    ILogger<CertificateRenewal> logger) : BackgroundService
{
    /// <summary>Renewal by a member that holds the swarm's key itself.</summary>
    public static Func<CancellationToken, Task<MembershipGrant>> From(SwarmAuthority authority, SwarmCredentials credentials) => _ =>
        Task.FromResult(new MembershipGrant
        {
            Certificate = ByteString.CopyFrom(authority.Issue(credentials.Key.PublicKey.Span, credentials.Member.Roles)),
            CaCertificate = ByteString.CopyFrom(authority.Certificate.Span),
            Revocations = ByteString.CopyFrom(authority.Revocations.Envelope.Span),
        });

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (true)
        {
            var scatter = RandomNumberGenerator.GetInt32(1 << 20) / (double)(1 << 20);
            await Task.Delay(RenewalSchedule.Wait(credentials.Member, failures, clock.GetUtcNow(), scatter), clock, stoppingToken);
            try
            {
                MembershipClient.Apply(credentials, await renew(stoppingToken));
                folder?.Save(credentials);
                failures = 0;
                LogRenewed(credentials.Member.NotAfter);
            }
            catch (IdentityException e)
            {
                failures++;
                LogFailed(e.Message, credentials.Member.NotAfter);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The certificate is renewed and valid until {Until:u}")]
    private partial void LogRenewed(DateTimeOffset until);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The certificate, valid until {Until:u}, could not be renewed: {Reason}")]
    private partial void LogFailed(string reason, DateTimeOffset until);
}
