namespace Parallax.Swarm.Members;

/// <summary>The times and limits of a member.</summary>
public sealed record MemberOptions
{
    /// <summary>The swarm's id: the peer id of its key.</summary>
    public required string Swarm { get; init; }

    /// <summary>How long a record lives in the overlay unless it is renewed, which happens three times in it.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the overlay is read for members and plans while faster ways are silent.</summary>
    public TimeSpan PollEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often it is read while NATS brings the news.</summary>
    public TimeSpan PollEveryWithNews { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often others are probed and this member's record is looked at for changes.</summary>
    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How long a probe may take.</summary>
    public TimeSpan ProbeTime { get; init; } = TimeSpan.FromSeconds(0.75);

    /// <summary>Probes in a row without an answer after which a worker is lost: three take 1.5 s.</summary>
    public int ProbesUntilLost { get; init; } = 3;

    /// <summary>Workers probed in one round at most; with more each has its turn.</summary>
    public int ProbesPerRound { get; init; } = 32;

    /// <summary>Members that a change is pushed to at most; the others hear of it by their probes.</summary>
    public int PushesPerChange { get; init; } = 32;
}
