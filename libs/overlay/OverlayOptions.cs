using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay;

/// <summary>How this peer takes part in the overlay.</summary>
public sealed class OverlayOptions
{
    /// <summary>Configuration section.</summary>
    public const string SectionName = "Overlay";

    /// <summary>Where others dial this peer. Required, here or at <see cref="Node.OverlayNode.Start"/>.</summary>
    public Uri? Address { get; set; }

    /// <summary>Where members may be found. One that answers is enough; all are tried, for ever. Empty: the first of its swarm.</summary>
    public IList<Uri> Bootstrap { get; } = [];

    /// <summary>This process's incarnation: larger at each start of the peer. Required, above 0.</summary>
    public long Incarnation { get; set; }

    /// <summary>Peers in a bucket and holders of a record: k, 1 to 64.</summary>
    public int K { get; set; } = 20;

    /// <summary>Calls of one lookup at once, 1 to 16.</summary>
    public int Alpha { get; set; } = 3;

    /// <summary>How long a call may take, connecting included.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A bucket that no lookup has gone to for so long gets one.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Peers of one /24, /64 or domain in a bucket, at least 1.</summary>
    public int PeersPerNetwork { get; set; } = 8;

    /// <summary>Networks to which <see cref="PeersPerNetwork"/> does not apply, beside loopback.</summary>
    public IList<IPNetwork> TrustedNetworks { get; } = [];

    /// <summary>Calls a second, each record of a store counted as one more, that one caller may make in the long run.</summary>
    public double CallsPerSecond { get; set; } = 500;

    /// <summary>Calls that one caller may make at once.</summary>
    public double CallBurst { get; set; } = 4000;

    /// <summary>
    /// Opens a channel to an address; with an id, only the peer of that id may answer there. The overlay disposes it. Null:
    /// clear text. A message is 1 MiB at most.
    /// </summary>
    public Func<Uri, PeerId?, GrpcChannel>? Dial { get; set; }

    /// <summary>
    /// The id in a caller's certificate; what it returns null for is refused. Null: no certificates are in use, and callers
    /// are who they say.
    /// </summary>
    public Func<ServerCallContext, PeerId?>? CallerIdentity { get; set; }

    /// <summary>All that is wrong with the options; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Require(Incarnation > 0, nameof(Incarnation), "above 0");
        Require(K is >= 1 and <= 64, nameof(K), "1 to 64");
        Require(Alpha is >= 1 and <= 16, nameof(Alpha), "1 to 16");
        Require(CallTimeout > TimeSpan.Zero && CallTimeout <= TimeSpan.FromMinutes(1), nameof(CallTimeout), "above 0 and at most a minute");
        Require(RefreshInterval >= TimeSpan.FromSeconds(1), nameof(RefreshInterval), "at least a second");
        Require(PeersPerNetwork >= 1, nameof(PeersPerNetwork), "at least 1");
        Require(CallsPerSecond > 0, nameof(CallsPerSecond), "above 0");
        Require(CallBurst >= 1 + Protocol.CoreSettings.MaxRecordsPerStore, nameof(CallBurst), $"at least {1 + Protocol.CoreSettings.MaxRecordsPerStore}, what one store costs");
        Require(Address is null || Node.OverlayMapping.IsDiallable(Address), nameof(Address), "http or https, a host and a port, without path and user");
        Require(Bootstrap.All(Node.OverlayMapping.IsDiallable), nameof(Bootstrap), "http or https, a host and a port each, without path and user");
        return errors;

        void Require(bool holds, string name, string rule)
        {
            if (!holds)
            {
                errors.Add($"{name} must be {rule}.");
            }
        }
    }
}
