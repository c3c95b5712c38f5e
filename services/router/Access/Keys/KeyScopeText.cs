namespace Parallax.Router.Access.Keys;

/// <summary>Scopes as people and events write them.</summary>
internal static class KeyScopeText
{
    /// <summary>All there are, in order.</summary>
    public static readonly IReadOnlyList<string> Words = ["chat", "audit", "admin"];

    /// <summary>The scope of a word; none for an unknown one.</summary>
    public static KeyScope Parse(string word) => word switch
    {
        "chat" => KeyScope.Chat,
        "audit" => KeyScope.Audit,
        "admin" => KeyScope.Admin,
        _ => KeyScope.None,
    };

    /// <summary>All of the words together; unknown ones, which a newer program may have written, give nothing.</summary>
    public static KeyScope Parse(IEnumerable<string> words) => words.Aggregate(KeyScope.None, static (sum, word) => sum | Parse(word));

    /// <summary>The words of scopes.</summary>
    public static string[] ToWords(this KeyScope scopes) => [.. Words.Where(word => (scopes & Parse(word)) != 0)];

    /// <summary>In one text, with commas.</summary>
    public static string ToText(this KeyScope scopes) => string.Join(',', scopes.ToWords());
}
