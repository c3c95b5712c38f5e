namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>Where an undefined value came from, so that the error of its use can say so.</summary>
/// <param name="Name">The variable, attribute or key; or the whole hint when <paramref name="Owner"/> is empty.</param>
/// <param name="Owner">The type whose attribute or key is missing; null for a variable; empty for a hint.</param>
internal sealed record UndefinedOrigin(string Name, string? Owner)
{
    public static UndefinedOrigin Unknown { get; } = Hint("the value is undefined");

    public string Message => Owner switch
    {
        null => $"'{Name}' is undefined",
        "" => Name,
        _ => $"'{Owner}' has no attribute or key '{Name}'",
    };

    public static UndefinedOrigin Hint(string text) => new(text, "");
}
