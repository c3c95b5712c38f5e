namespace Parallax.Transport.Framing;

/// <summary>What a receiver does with a run of rows (session protocol, rules 3 and 4). The values are the wire's.</summary>
public enum RowKind
{
    /// <summary>No kind.</summary>
    None = 0,

    /// <summary>Hidden states of the next positions: the receiver computes and extends its KV.</summary>
    Forward = 1,

    /// <summary>Hidden states of positions that the receiver has: it recomputes their outputs and leaves KV alone.</summary>
    Rebuild = 2,

    /// <summary>Sampled ids from the tail to the head; positions are token indices; the payload holds logprobs or nothing.</summary>
    Token = 3,

    /// <summary>Reserved for gradients; refused.</summary>
    Backward = 4,
}
