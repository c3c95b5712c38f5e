using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Router.Routing;

/// <summary>
/// Workers' records as reports. They come over the wire, so what makes no sense is left out and what is too much is cut
/// off: a worker that lies about itself must not cost the router more than that worker. Pure.
/// </summary>
internal static class SwarmMapping
{
    private const int MaxAddresses = 8;
    private const int MaxShards = 64;
    private const int MaxPeers = 4096;
    private const int MaxSteps = 32;
    private const int MaxIdLength = 128;
    private const int MaxSessions = 1 << 20;
    private const double LongestMs = 1e6;

    /// <summary>Null when the record names no worker or no address that could be dialled.</summary>
    public static WorkerReport? ToReport(SwarmWorker worker)
    {
        var record = worker.Record;
        ImmutableArray<Uri> addresses = [.. record.Addresses.Take(MaxAddresses).Select(ParseAddress).OfType<Uri>().Distinct()];
        if (!PeerId.TryParse(record.WorkerId, out var id) || record.WorkerId != id.ToString() || addresses.IsEmpty)
        {
            return null;
        }

        var shards = new Dictionary<string, ShardReport>(StringComparer.Ordinal);
        foreach (var shard in record.Shards.Take(MaxShards))
        {
            if (shard.Model is { ShardId.Length: <= MaxIdLength } model)
            {
                shards[model.ShardId] = ToReport(shard, record.Device);
            }
        }

        var roundTrips = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var rtt in record.Rtts.Take(MaxPeers))
        {
            if (rtt.WorkerId.Length <= MaxIdLength && rtt.Milliseconds is >= 0 and <= LongestMs)
            {
                roundTrips[rtt.WorkerId] = rtt.Milliseconds;
            }
        }

        return new WorkerReport(record.WorkerId, record.Incarnation, addresses, worker.ExpiresAt)
        {
            Sequence = record.Sequence,
            HeardAt = worker.HeardAt,
            IsDraining = record.Phase == WorkerPhase.Draining,
            Shards = shards,
            RoundTrips = roundTrips,
            Unreachable = record.Unreachable.Take(MaxPeers).Where(static id => id.Length <= MaxIdLength).ToHashSet(StringComparer.Ordinal),
        };
    }

    private static ShardReport ToReport(ServingShard shard, Device? device) => new(
        new StageLoad(
            Math.Clamp(shard.Sessions, 0, MaxSessions),
            Math.Clamp(shard.WaitingSessions, 0, MaxSessions),
            shard.KvTokensTotal > 0 ? Math.Clamp(shard.KvTokensFree, 0, shard.KvTokensTotal) : null),
        new StageSpeed(
            ToSteps(shard.DecodeSteps),
            Positive(shard.PrefillMsPerToken),
            Math.Max(0, shard.WeightBytes),
            Positive(device?.Tflops ?? 0),
            Positive(device?.BandwidthGbps ?? 0))
        {
            RestoreMsPerToken = Positive(shard.RestoreMsPerToken),
        });

    private static ImmutableArray<MeasuredStep> ToSteps(IEnumerable<StepTime> steps)
    {
        var sorted = new SortedDictionary<int, double>();
        foreach (var step in steps.Take(MaxSteps))
        {
            if (step.Batch is >= 1 and <= MaxSessions && step.Milliseconds is > 0 and <= LongestMs)
            {
                sorted[step.Batch] = step.Milliseconds;
            }
        }

        return [.. sorted.Select(static step => new MeasuredStep(step.Key, step.Value))];
    }

    private static double Positive(double value) => double.IsFinite(value) && value > 0 ? value : 0;

    private static Uri? ParseAddress(string text) =>
        text.Length <= 256 && Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https")
        && uri is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "", Port: > 0 } && uri.Host.Length > 0
            ? uri
            : null;
}
