namespace Parallax.Identity.Tokens;

/// <summary>A text is no join token; the message says what is wrong with it.</summary>
public sealed class JoinTokenException(string message) : IdentityException(message);
