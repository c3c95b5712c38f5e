namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>HTML escaping, as the filters <c>escape</c> and <c>safe</c> bring it about.</summary>
internal static class MarkupText
{
    public static string Escape(RenderState state, string text)
    {
        if (text.AsSpan().IndexOfAny("&<>\"'") < 0)
        {
            return text;
        }

        var buffer = state.Rent();
        foreach (var character in text)
        {
            switch (character)
            {
                case '&':
                    buffer.Write(state, "&amp;");
                    break;
                case '<':
                    buffer.Write(state, "&lt;");
                    break;
                case '>':
                    buffer.Write(state, "&gt;");
                    break;
                case '"':
                    buffer.Write(state, "&#34;");
                    break;
                case '\'':
                    buffer.Write(state, "&#39;");
                    break;
                default:
                    buffer.Write(state, character);
                    break;
            }
        }

        return state.Return(buffer);
    }
}
