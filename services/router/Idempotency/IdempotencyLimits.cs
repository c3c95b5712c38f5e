namespace Parallax.Router.Idempotency;

/// <summary>How much is kept of answers to requests with idempotency keys.</summary>
internal sealed record IdempotencyLimits
{
    /// <summary>How long a complete answer is kept.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Bytes of all answers, complete or under way.</summary>
    public long Bytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Complete answers at most, however short.</summary>
    public int Answers { get; init; } = 16 * 1024;
}
