namespace Parallax.Runtime.ChatTemplates.Syntax;

internal enum TokenKind
{
    Data,
    OutputBegin,
    OutputEnd,
    TagBegin,
    TagEnd,
    Name,
    Number,
    Text,
    Operator,
    End,
}
