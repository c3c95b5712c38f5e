namespace Parallax.KvIndex.Announcing;

/// <summary>Times of a <see cref="BlockAnnouncer"/>.</summary>
public sealed record BlockAnnouncerOptions
{
    /// <summary>Changes are gathered for so long. Default 50 ms.</summary>
    public TimeSpan GatherTime { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>All is said again at most so often, however many ask. Default 2 s.</summary>
    public TimeSpan BeginEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After so long without a change it is said that there was none, so that a lost batch is noticed. Default 5 s.</summary>
    public TimeSpan PulseEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Changes that may wait; with more all is said again. Default 8,192.</summary>
    public int MaxWaiting { get; init; } = 8192;
}
