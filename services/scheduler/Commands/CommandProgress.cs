namespace Parallax.Scheduler.Commands;

/// <summary>How far the swarm is with a command that is part of the plan.</summary>
internal abstract record CommandProgress(string Text)
{
    /// <summary>It is as it was asked for.</summary>
    public sealed record Done(string Text) : CommandProgress(Text);

    /// <summary>It is not; the text goes after "By its deadline, ".</summary>
    public sealed record Pending(string Text) : CommandProgress(Text);

    /// <summary>It never will be, because something else was asked for since.</summary>
    public sealed record Superseded(string Text) : CommandProgress(Text);
}
