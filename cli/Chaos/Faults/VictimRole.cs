namespace Parallax.Cli.Chaos.Faults;

/// <summary>Whom a fault hits. Who plays a role is decided when the fault happens, by who has sessions then.</summary>
internal enum VictimRole
{
    /// <summary>The worker that holds the first layers for running answers.</summary>
    Head,

    /// <summary>One of the workers between head and tail.</summary>
    Middle,

    /// <summary>The worker that holds the last layers for running answers.</summary>
    Tail,

    /// <summary>A worker without sessions.</summary>
    Spare,

    /// <summary>A router.</summary>
    Router,

    /// <summary>Any worker that serves running answers.</summary>
    Random,

    /// <summary>The worker that follows the other victim of the same fault in the ring; the head follows the tail.</summary>
    Next,

    /// <summary>The worker of an id.</summary>
    Named,
}
