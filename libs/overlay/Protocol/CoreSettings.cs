using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>How the protocol behaves.</summary>
internal sealed record CoreSettings
{
    /// <summary>Peers in a bucket, and holders of a record.</summary>
    public int K { get; init; } = 20;

    /// <summary>Calls of one lookup at once.</summary>
    public int Alpha { get; init; } = 3;

    /// <summary>The nearest peers that must have answered for a get, and acknowledged for a put.</summary>
    public int Quorum { get; init; } = 3;

    /// <summary>After which time a call no longer holds a lookup up.</summary>
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromMilliseconds(333);

    /// <summary>Peers that wait for a place in a full bucket.</summary>
    public int Replacements { get; init; } = 10;

    /// <summary>Peers of one network in a bucket.</summary>
    public int PerNetwork { get; init; } = 8;

    /// <summary>Networks without that limit, beside loopback.</summary>
    public NetworkShare Networks { get; init; } = new([]);

    /// <summary>A bucket that no lookup has gone to for so long gets one.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The longest time between two publishings of this peer's records; a third of the lease where that is shorter.</summary>
    public TimeSpan RepublishInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A holder hands a record on that it has not heard of for so long.</summary>
    public TimeSpan ReplicateInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Between two calls of the peer that has been silent longest.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>First and longest pause between attempts to reach a peer that was lost, or a bootstrap address.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Calls a second that a caller may make in the long run, and at once. Each record of a store counts, too.</summary>
    public double CallsPerSecond { get; init; } = 500;

    public double CallBurst { get; init; } = 4000;

    public StoreQuotas Quotas { get; init; } = new();

    /// <summary>Puts, gets and searches of this peer's users at once.</summary>
    public int MaxOperations { get; init; } = 1024;

    /// <summary>Where a page of records ends.</summary>
    public int PageBytes { get; init; } = 256 * 1024;

    /// <summary>Records in one store call.</summary>
    public const int MaxRecordsPerStore = 64;
}
