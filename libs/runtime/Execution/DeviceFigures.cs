namespace Parallax.Runtime.Execution;

/// <summary>What a machine can do, measured.</summary>
public sealed record DeviceFigures
{
    /// <summary>The backend's family, e.g. <c>cpu</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Processor, instruction set and threads, for people.</summary>
    public required string Description { get; init; }

    /// <summary>Bytes for weights, KV and scratch of all shards: 80 % of what this process may use.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>10^12 floating point operations a second, of a product of 32 rows with a bf16 matrix.</summary>
    public required double Tflops { get; init; }

    /// <summary>10^9 bytes a second, read from memory by all threads.</summary>
    public required double BandwidthGBps { get; init; }

    /// <summary>Compute threads that were measured with.</summary>
    public required int Threads { get; init; }

    /// <summary>The machine: the same for every process on it, another on every other.</summary>
    public required string FailureDomain { get; init; }
}
