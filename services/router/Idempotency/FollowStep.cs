namespace Parallax.Router.Idempotency;

/// <summary>What a follower of an answer has to do next.</summary>
internal abstract record FollowStep
{
    /// <summary>Pass on bytes.</summary>
    public sealed record Piece(ReadOnlyMemory<byte> Bytes) : FollowStep;

    /// <summary>Pass on a comment.</summary>
    public sealed record Comment(string Text) : FollowStep;

    /// <summary>Await this, and ask again.</summary>
    public sealed record Wait(Task Changed) : FollowStep;

    /// <summary>Nothing: that was all, or all that there will be.</summary>
    public sealed record End(bool IsBroken) : FollowStep;
}
