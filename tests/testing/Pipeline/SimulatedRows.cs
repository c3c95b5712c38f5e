namespace Parallax.Testing.Pipeline;

/// <summary>Rows of a session on their way.</summary>
/// <param name="Session">Whose.</param>
/// <param name="Count">How many; 1 when it decodes.</param>
/// <param name="Sample">Whether the tail draws a token after the last one.</param>
internal readonly record struct SimulatedRows(SimulatedSession Session, int Count, bool Sample)
{
    public bool IsDecode => Session.Decodes;
}
