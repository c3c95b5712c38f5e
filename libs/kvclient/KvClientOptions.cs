namespace Parallax.KvClient;

/// <summary>How a client of the KV cache behaves.</summary>
public sealed record KvClientOptions
{
    /// <summary>Instances that a block is put to, as far as there are so many. The same at all clients and instances of a swarm.</summary>
    public int Copies { get; init; } = 2;

    /// <summary>An instance that says nothing for this long, while something is waited for, has failed this call.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a question may take in all.</summary>
    public TimeSpan LookupTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a put or a get may take in all.</summary>
    public TimeSpan TransferTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an instance that failed is left alone; doubled with each failure in a row, up to <see cref="LongestBreak"/>.</summary>
    public TimeSpan FirstBreak { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest break.</summary>
    public TimeSpan LongestBreak { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Connections to each instance: one connection is served by one core at a time.</summary>
    public int Connections { get; init; } = 2;

    /// <summary>Bytes that are reserved and committed at once; more are put batch after batch.</summary>
    public int BatchBytes { get; init; } = 4 << 20;
}
