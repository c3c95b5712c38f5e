namespace Parallax.Router.Access.Keys;

/// <summary>What is to be done about the API keys.</summary>
internal abstract record KeyCommand;

/// <summary>Create a key.</summary>
/// <param name="Id">Its id, new.</param>
/// <param name="Hash">Of its secret.</param>
/// <param name="Settings">The rest.</param>
/// <param name="By">Who asks.</param>
internal sealed record CreateKey(string Id, string Hash, KeySettings Settings, string By) : KeyCommand;

/// <summary>Change a key.</summary>
/// <param name="Id">Which.</param>
/// <param name="Change">From what it has to what it is to have.</param>
internal sealed record ChangeKey(string Id, Func<KeySettings, KeySettings> Change) : KeyCommand;

/// <summary>Put a key out of use.</summary>
/// <param name="Id">Which.</param>
/// <param name="By">Who asks.</param>
internal sealed record RevokeKey(string Id, string By) : KeyCommand;
