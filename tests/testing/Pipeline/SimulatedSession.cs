namespace Parallax.Testing.Pipeline;

/// <summary>A session of a simulation.</summary>
internal sealed class SimulatedSession
{
    /// <summary>Rows of its prompt that the head has not computed.</summary>
    public int PromptLeft { get; set; }

    /// <summary>Whether its prompt is computed.</summary>
    public bool Decodes { get; set; }

    /// <summary>The group that its row travels in.</summary>
    public long Group { get; set; }

    /// <summary>When its last token came back, in milliseconds.</summary>
    public double LastTokenAt { get; set; }
}
