using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Placement.Records;

/// <summary>Reads workers' records, which come from other machines, and makes a cluster of them.</summary>
public static class WorkerRecords
{
    /// <summary>Shards, round trips or unreachable peers of one record that are looked at.</summary>
    public const int MostEntries = 16 * 1024;

    private const int MostText = 256;
    private const int MostLayers = 1 << 20;

    /// <summary>Reads a record.</summary>
    /// <param name="record">What the worker published.</param>
    /// <param name="problem">Why it cannot be used, naming the field; null when it can.</param>
    /// <returns>Null when it cannot be used.</returns>
    public static WorkerView? Read(WorkerRecord record, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(record);
        problem = Problem(record);
        return problem is null ? View(record) : null;
    }

    /// <summary>The cluster of workers on which layers may be placed.</summary>
    /// <param name="workers">Workers.</param>
    /// <param name="isDraining">Whether a worker leaves.</param>
    public static ClusterSnapshot ToSnapshot(IEnumerable<WorkerView> workers, Func<WorkerView, bool> isDraining)
    {
        ArgumentNullException.ThrowIfNull(workers);
        ArgumentNullException.ThrowIfNull(isDraining);
        var present = workers.OrderBy(static worker => worker.Id, StringComparer.Ordinal).ToList();
        var ids = present.Select(static worker => worker.Id).ToHashSet(StringComparer.Ordinal);
        var roundTrips = ImmutableDictionary.CreateBuilder<(string, string), double>();
        var unreachable = ImmutableHashSet.CreateBuilder<(string, string)>();
        foreach (var worker in present)
        {
            foreach (var (peer, milliseconds) in worker.RoundTrips.Where(rtt => ids.Contains(rtt.Key)))
            {
                roundTrips[(worker.Id, peer)] = milliseconds;
            }

            // A worker names only peers that do not dial it either, so that one side's word is enough.
            foreach (var peer in worker.Unreachable.Where(ids.Contains))
            {
                unreachable.Add((worker.Id, peer));
            }
        }

        return new ClusterSnapshot(
            [.. present.Select(worker => worker.Node with { IsDraining = isDraining(worker) })], roundTrips.ToImmutable(), unreachable.ToImmutable());
    }

    private static string? Problem(WorkerRecord record)
    {
        if (!PeerId.TryParse(record.WorkerId, out var id) || id.ToString() != record.WorkerId)
        {
            return "worker_id is not 40 hexadecimal digits in lower case";
        }

        if (record.Device is not { } device)
        {
            return "device is missing";
        }

        if (device.MemoryBytes is < 0 or > 1L << 50)
        {
            return $"device.memory_bytes is {device.MemoryBytes}";
        }

        if (!IsRate(device.Tflops) || !IsRate(device.BandwidthGbps))
        {
            return $"device.tflops is {device.Tflops} and device.bandwidth_gbps is {device.BandwidthGbps}; both must be more than 0";
        }

        if (device.FailureDomain.Length > MostText || device.Region.Length > MostText)
        {
            return "device.failure_domain or device.region is too long";
        }

        if (record.Phase is WorkerPhase.Unspecified || !Enum.IsDefined(record.Phase))
        {
            return $"phase is {record.Phase}";
        }

        if (record.Shards.Count > MostEntries || record.Rtts.Count > MostEntries || record.Unreachable.Count > MostEntries)
        {
            return $"shards, rtts or unreachable has more than {MostEntries} entries";
        }

        foreach (var shard in record.Shards)
        {
            if (shard.Model is not { } model || model.Name.Length is 0 or > MostText || model.NumericClass is not { WeightsHash.Length: <= MostText }
                || model.LayerStart < 0 || model.LayerEnd <= model.LayerStart || model.LayerEnd > model.LayerCount || model.LayerCount > MostLayers)
            {
                return $"shard '{shard.Model?.ShardId}' is no range of a model's layers";
            }
        }

        if (record.Rtts.FirstOrDefault(static rtt => !double.IsFinite(rtt.Milliseconds) || rtt.Milliseconds < 0) is { } odd)
        {
            return $"the round trip to {odd.WorkerId} is {odd.Milliseconds} ms";
        }

        return record.Intent is { } intent
            && (intent.Model.Length is 0 or > MostText || intent.WeightsHash.Length > MostText || intent.LayerStart < 0 || intent.LayerEnd <= intent.LayerStart)
            ? "intent is no range of a model's layers"
            : null;
    }

    private static bool IsRate(double value) => double.IsFinite(value) && value is > 0 and < 1e9;

    private static WorkerView View(WorkerRecord record)
    {
        var device = record.Device;
        var measured = from shard in record.Shards
                       where shard.State == ShardState.Serving
                       from step in shard.DecodeSteps
                       where step.Batch > 0 && double.IsFinite(step.Milliseconds) && step.Milliseconds > 0
                       select new MeasuredStep(shard.Model.Name, RangeOf(shard.Model), step.Batch, step.Milliseconds);
        return new WorkerView(
            new PlacementNode(record.WorkerId, device.MemoryBytes, device.Tflops, device.BandwidthGbps)
            {
                FailureDomain = device.FailureDomain,
                Region = device.Region,
                IsDraining = record.Phase == WorkerPhase.Draining,
                Measured = [.. measured],
            },
            record.Incarnation,
            record.Phase,
            [.. record.Shards
                .Where(static shard => shard.State is ShardState.Serving or ShardState.Loading)
                .Select(static shard => new ShardView(
                    new ModelClass(shard.Model.Name, shard.Model.NumericClass.WeightsHash, ResidualOf(shard.Model.NumericClass.Residual), shard.Model.NumericClass.LinksQ8),
                    RangeOf(shard.Model),
                    shard.State == ShardState.Serving))],
            record.Rtts.GroupBy(static rtt => rtt.WorkerId, StringComparer.Ordinal)
                .ToImmutableSortedDictionary(static group => group.Key, static group => group.Min(static rtt => rtt.Milliseconds), StringComparer.Ordinal),
            record.Unreachable.ToImmutableSortedSet(StringComparer.Ordinal),
            record.Follows?.Version ?? 0,
            record.Intent is { } intent ? new ClaimedRange(intent.Model, intent.WeightsHash, new LayerRange(intent.LayerStart, intent.LayerEnd)) : null);
    }

    private static LayerRange RangeOf(ServedModel model) => new(model.LayerStart, model.LayerEnd);

    private static NumericClass.Types.Residual ResidualOf(NumericClass.Types.Residual residual) =>
        residual == NumericClass.Types.Residual.F32 ? residual : NumericClass.Types.Residual.Bf16;
}
