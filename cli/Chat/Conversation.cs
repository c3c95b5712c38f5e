namespace Parallax.Cli.Chat;

/// <summary>What has been said, in order. Roles alternate: what failed to be answered is taken back.</summary>
internal sealed class Conversation
{
    private readonly ChatTurn? _system;
    private readonly List<ChatTurn> _turns = [];

    public Conversation(string? system)
    {
        _system = string.IsNullOrWhiteSpace(system) ? null : new ChatTurn("system", system);
        Reset();
    }

    /// <summary>The messages to send, the system's first.</summary>
    public IReadOnlyList<ChatTurn> Turns => _turns;

    /// <summary>Adds what the user said.</summary>
    public void Ask(string text) => _turns.Add(new ChatTurn("user", text));

    /// <summary>
    /// Ends the user's turn with what was answered, perhaps only a part; nothing at all takes the question back.
    /// </summary>
    public void Answered(string text)
    {
        if (_turns.Count == 0 || _turns[^1].Role != "user")
        {
            throw new InvalidOperationException("Nothing was asked.");
        }

        if (text.Length > 0)
        {
            _turns.Add(new ChatTurn("assistant", text));
        }
        else
        {
            _turns.RemoveAt(_turns.Count - 1);
        }
    }

    /// <summary>Forgets everything but the system's instructions.</summary>
    public void Reset()
    {
        _turns.Clear();
        if (_system is not null)
        {
            _turns.Add(_system);
        }
    }
}

/// <summary>One message.</summary>
/// <param name="Role">system, user or assistant.</param>
/// <param name="Content">Its text.</param>
internal sealed record ChatTurn(string Role, string Content);
