using Grpc.Net.Client;
using Parallax.Contracts.V1;
using WorkerClient = Parallax.Contracts.V1.Worker.WorkerClient;

namespace Parallax.PipelineBenchmark.Utilisation;

/// <summary>Reads the counters of all workers.</summary>
internal sealed class BusyWatch : IDisposable
{
    private readonly List<GrpcChannel> _channels;

    public BusyWatch(IEnumerable<Uri> workers) => _channels = [.. workers.Select(GrpcChannel.ForAddress)];

    public async Task<IReadOnlyList<BusySample>> ReadAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(_channels.Select(async channel =>
        {
            var stats = await new WorkerClient(channel).GetStatsAsync(new GetStatsRequest(), cancellationToken: cancellationToken);
            return new BusySample(stats.BusyMicroseconds, stats.UptimeMicroseconds, stats.Steps, stats.DecodeTokens);
        }));

    public void Dispose() => _channels.ForEach(static channel => channel.Dispose());
}

/// <summary>A worker's counters at one moment, by its own clock.</summary>
internal sealed record BusySample(long BusyMicroseconds, long UpMicroseconds, long Steps, long DecodeRows)
{
    /// <summary>Part of the time since an earlier sample that the executor spent in steps.</summary>
    public double BusyFractionSince(BusySample earlier) =>
        (double)(BusyMicroseconds - earlier.BusyMicroseconds) / Math.Max(1, UpMicroseconds - earlier.UpMicroseconds);

    /// <summary>Decoded rows a step since an earlier sample.</summary>
    public double RowsPerStepSince(BusySample earlier) =>
        (double)(DecodeRows - earlier.DecodeRows) / Math.Max(1, Steps - earlier.Steps);
}
