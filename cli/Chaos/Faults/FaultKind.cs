namespace Parallax.Cli.Chaos.Faults;

/// <summary>What is done to a swarm.</summary>
internal enum FaultKind
{
    /// <summary>A process ends by SIGKILL; it is started again later, under its id and port.</summary>
    Kill,

    /// <summary>A process stands still for a while (SIGSTOP, SIGCONT); its connections stay open.</summary>
    Pause,

    /// <summary>A process stands still for a part of every tenth of a second.</summary>
    Slow,

    /// <summary>The connections between two workers are reset.</summary>
    Drop,

    /// <summary>Bits of what travels between two workers are flipped.</summary>
    Corrupt,

    /// <summary>Nothing passes between two processes for a while, and no connection closes; what waited comes late.</summary>
    Partition,
}
