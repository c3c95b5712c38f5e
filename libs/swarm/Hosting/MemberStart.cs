using System.Net;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.Identity.Revocation;
using Parallax.Overlay;
using Parallax.Overlay.Node;
using Parallax.Swarm.Members;

namespace Parallax.Swarm.Hosting;

/// <summary>Joins the overlay once the host listens: finds out where others can dial it, and lets one of them try.</summary>
public sealed partial class MemberStart(MemberSetup setup, OverlayNode overlay, SwarmMember member, TimeProvider clock, ILogger<MemberStart> logger)
{
    private static readonly TimeSpan CheckTime = TimeSpan.FromSeconds(5);

    /// <summary>Joins.</summary>
    /// <param name="listening">Where the host listens.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SwarmException">No member can be reached, or none can reach this one.</exception>
    public async Task JoinAsync(Uri listening, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(listening);
        var candidates = MemberAddresses.Candidates(setup.Advertise, listening, setup.Bootstrap.Count > 0 ? setup.Bootstrap[0] : null);
        // A worker must be dialled by others, so one of them tries before anybody is told.
        var reachable = setup.Bootstrap.Count == 0 ? candidates : await CheckAsync(listening, candidates, cancellationToken);
        member.Addresses = [.. reachable.Select(static address => address.GetLeftPart(UriPartial.Authority))];
        overlay.Start(reachable[0]);
        if (setup.Bootstrap.Count > 0)
        {
            await overlay.Joined.WaitAsync(cancellationToken);
        }

        member.Start();
        setup.Credentials.RevocationsApplied += Publish;
        LogJoined(setup.Credentials.Self.Abbreviated, setup.Credentials.Swarm.Abbreviated, reachable[0]);
    }

    /// <summary>Those addresses at which the bootstrap peer reaches this member.</summary>
    private async Task<IReadOnlyList<Uri>> CheckAsync(Uri listening, IReadOnlyList<Uri> candidates, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        foreach (var bootstrap in setup.Bootstrap)
        {
            using var channel = MemberChannels.Open(setup.Credentials, bootstrap, expected: null);
            var client = new Contracts.V1.Swarm.SwarmClient(channel);
            var queue = new Queue<Uri>(candidates);
            var reachable = new List<Uri>();
            var tried = new HashSet<Uri>();
            try
            {
                while (queue.TryDequeue(out var candidate))
                {
                    if (!tried.Add(candidate))
                    {
                        continue;
                    }

                    // An address of loopback would be the other machine's own.
                    if (!bootstrap.IsLoopback && candidate.IsLoopback)
                    {
                        continue;
                    }

                    var reply = await client.DialBackAsync(
                        new DialBackRequest { Address = candidate.GetLeftPart(UriPartial.Authority), WorkerId = setup.Credentials.Self.ToString() },
                        deadline: (clock.GetUtcNow() + CheckTime).UtcDateTime,
                        cancellationToken: cancellationToken);
                    if (reply.Reachable)
                    {
                        reachable.Add(candidate);
                    }
                    else
                    {
                        problems.Add($"{bootstrap.Authority} cannot reach {candidate.Authority}: {reply.Problem}");
                    }

                    if (setup.Advertise.Count == 0 && IPAddress.TryParse(reply.ObservedAddress, out var observed))
                    {
                        queue.Enqueue(MemberAddresses.Of(listening, observed));
                    }
                }
            }
            catch (RpcException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                problems.Add($"{bootstrap.Authority}: {e.Status.Detail}");
            }

            if (reachable.Count > 0)
            {
                return reachable;
            }
        }

        throw new SwarmException(
            $"No member of the swarm can reach this one: {string.Join("; ", problems.Distinct())}. "
            + $"Open port {listening.Port} to them, or say with --advertise https://HOST:PORT where it can be dialled.");
    }

    /// <summary>What the swarm's key has revoked is told to all, by whoever hears of it first-hand.</summary>
    private void Publish(RevocationSet revocations)
    {
        if (setup.Authority is not null)
        {
            _ = PublishAsync(revocations);
        }
    }

    private async Task PublishAsync(RevocationSet revocations)
    {
        try
        {
            await overlay.PutAsync(overlay.Seal(SwarmNames.Revocations(member.Swarm), revocations.Envelope, OverlayLimits.MaxLease), CancellationToken.None);
        }
        catch (Exception e)
        {
            LogRevocationsFailed(e);
        }
    }

    [LoggerMessage(60, LogLevel.Information, "{Self} is in swarm {Swarm}, at {Address}")]
    private partial void LogJoined(string self, string swarm, Uri address);

    [LoggerMessage(61, LogLevel.Error, "Revocations could not be published; members hear of them when they ask")]
    private partial void LogRevocationsFailed(Exception problem);
}
