namespace Parallax.Transport.Links;

/// <summary>How links behave. The defaults suit machines on one network.</summary>
public sealed class LinkOptions
{
    /// <summary>Configuration section.</summary>
    public const string SectionName = "Transport";

    /// <summary>This peer's id, 1 to 128 bytes of UTF-8. Required.</summary>
    public string PeerId { get; set; } = "";

    /// <summary>This process's incarnation: larger at each start of the peer. Required, above 0.</summary>
    public long Incarnation { get; set; }

    /// <summary>Bytes that each priority's queue holds before it is full.</summary>
    public int ControlQueueBytes { get; set; } = 4 << 20;

    /// <summary>Bytes of the decode queue.</summary>
    public int DecodeQueueBytes { get; set; } = 8 << 20;

    /// <summary>Bytes of the prefill queue; small, so that what waits there can still be overtaken.</summary>
    public int PrefillQueueBytes { get; set; } = 2 << 20;

    /// <summary>Frames that each priority's queue holds before it is full.</summary>
    public int QueueFrames { get; set; } = 8192;

    /// <summary>Received bytes that the handler may hold before the link stops reading and the peer is pushed back.</summary>
    public int ReceiveBytes { get; set; } = 64 << 20;

    /// <summary>Time for connecting and the exchange of Hello.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time for the first attempt after a link was lost: so long a peer that neither answers nor refuses is not yet called
    /// unreachable.
    /// </summary>
    public TimeSpan RedialTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>First pause before dialling again; doubled and jittered from there. The attempt after a loss has no pause.</summary>
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Longest pause before dialling again.</summary>
    public TimeSpan LongestRetry { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Failed attempts in a row that open the circuit to a peer: nobody dials it for <see cref="BreakDuration"/>, unless a
    /// session wants the link or the peer connects.
    /// </summary>
    public int BreakAfter { get; set; } = 8;

    /// <summary>How long a circuit stays open; then one attempt decides.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time for a drain to flush what is queued.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Heartbeat period; 0 switches heartbeats off (tests).</summary>
    public TimeSpan HeartbeatPeriod { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Refusals that one peer may cause within <see cref="AbuseWindow"/>; one more closes the link for <see cref="AbusePenalty"/>.</summary>
    public int AbuseThreshold { get; set; } = 32;

    /// <summary>Window in which refusals are counted.</summary>
    public TimeSpan AbuseWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a peer that abused the link is refused.</summary>
    public TimeSpan AbusePenalty { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Links to peers that may exist at once; further peers are refused.</summary>
    public int MaxLinks { get; set; } = 256;

    /// <summary>All that is wrong with the options; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (System.Text.Encoding.UTF8.GetByteCount(PeerId) is 0 or > Framing.FrameLimits.MaxPeerIdBytes)
        {
            errors.Add($"{nameof(PeerId)} must have 1 to {Framing.FrameLimits.MaxPeerIdBytes} bytes.");
        }

        Require(Incarnation > 0, nameof(Incarnation), "above 0");
        foreach (var (name, bytes) in new[]
        {
            (nameof(ControlQueueBytes), ControlQueueBytes), (nameof(DecodeQueueBytes), DecodeQueueBytes),
            (nameof(PrefillQueueBytes), PrefillQueueBytes), (nameof(ReceiveBytes), ReceiveBytes),
        })
        {
            Require(bytes >= Framing.FrameLimits.MaxFrameBytes, name, $"at least one frame, {Framing.FrameLimits.MaxFrameBytes} bytes");
        }

        Require(QueueFrames > 0, nameof(QueueFrames), "above 0");
        Require(IsTimeout(ConnectTimeout), nameof(ConnectTimeout), "above 10 ms and below a day");
        Require(IsTimeout(RedialTimeout), nameof(RedialTimeout), "above 10 ms and below a day");
        Require(BreakAfter >= 2, nameof(BreakAfter), "at least 2");
        Require(BreakDuration >= TimeSpan.FromSeconds(0.5) && BreakDuration <= TimeSpan.FromDays(1), nameof(BreakDuration), "half a second to a day");
        Require(FirstRetry > TimeSpan.Zero && FirstRetry <= LongestRetry, nameof(FirstRetry), $"above 0 and at most {nameof(LongestRetry)}");
        Require(LongestRetry <= TimeSpan.FromHours(1), nameof(LongestRetry), "at most an hour");
        Require(DrainTimeout >= TimeSpan.Zero, nameof(DrainTimeout), "not negative");
        Require(HeartbeatPeriod >= TimeSpan.Zero, nameof(HeartbeatPeriod), "not negative");
        Require(AbuseThreshold >= 0, nameof(AbuseThreshold), "not negative");
        Require(AbuseWindow > TimeSpan.Zero, nameof(AbuseWindow), "above 0");
        Require(AbusePenalty >= TimeSpan.Zero, nameof(AbusePenalty), "not negative");
        Require(MaxLinks > 0, nameof(MaxLinks), "above 0");
        return errors;

        // What Polly takes.
        static bool IsTimeout(TimeSpan time) => time > TimeSpan.FromMilliseconds(10) && time < TimeSpan.FromDays(1);

        void Require(bool holds, string name, string rule)
        {
            if (!holds)
            {
                errors.Add($"{name} must be {rule}.");
            }
        }
    }
}
