namespace Parallax.Testing.Pipeline;

internal sealed class SimulatedSession
{
    /// <summary>Rows of its prompt that the head has not computed.</summary>
    public int PromptLeft { get; set; }

    public bool Decodes { get; set; }

    public long Group { get; set; }

    /// <summary>When its last token came back, in milliseconds.</summary>
    public double LastTokenAt { get; set; }
}

/// <summary>Rows of a session on their way.</summary>
/// <param name="Session">Whose.</param>
/// <param name="Count">How many; 1 when it decodes.</param>
/// <param name="Sample">Whether the tail draws a token after the last one.</param>
internal readonly record struct SimulatedRows(SimulatedSession Session, int Count, bool Sample)
{
    public bool IsDecode => Session.Decodes;
}
