namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>A piece of source. <paramref name="Value"/> is the literal's, for numbers and texts.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, TemplateValue Value = default)
{
    public bool Is(string operation) => Kind == TokenKind.Operator && Text == operation;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    public string Describe() => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.OutputEnd => "'}}'",
        TokenKind.TagEnd => "'%}'",
        TokenKind.Text => "a text",
        TokenKind.Data or TokenKind.OutputBegin or TokenKind.TagBegin => "text outside of tags",
        _ => $"'{Text}'",
    };
}
