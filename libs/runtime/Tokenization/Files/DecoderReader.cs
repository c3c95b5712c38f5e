using System.Text;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>
/// Reads the section "decoder" of a tokenizer.json, as far as a token's text does not depend on the tokens around it
/// (except for spaces at the very beginning): only then can text be streamed.
/// </summary>
internal sealed class DecoderReader
{
    private readonly List<(string Pattern, string Content)> _replacements = [];
    private bool _fused;

    /// <summary>Whether tokens are written in the <see cref="ByteAlphabet"/>.</summary>
    public bool IsByteLevel { get; private set; }

    /// <summary>Whether tokens like <c>&lt;0x0A&gt;</c> stand for bytes.</summary>
    public bool HasByteTokens { get; private set; }

    /// <summary>How many spaces the text loses at its start.</summary>
    public int LeadingSpaces { get; private set; }

    /// <exception cref="ModelFormatException">Malformed, or a kind that is not supported.</exception>
    public void Read(JsonField field)
    {
        var type = field.Required("type").AsString();
        switch (type)
        {
            case "Sequence":
                foreach (var part in field.Required("decoders").Items())
                {
                    Read(part);
                }

                break;
            case "ByteLevel":
                IsByteLevel = true;
                break;
            case "ByteFallback":
                HasByteTokens = true;
                break;
            case "Fuse":
                _fused = true;
                break;
            case "Replace":
                ReadReplace(field);
                break;
            case "Metaspace":
                ReadMetaspace(field);
                break;
            case "Strip":
                ReadStrip(field);
                break;
            default:
                throw field.Error($"the decoder '{type}' is not supported");
        }
    }

    /// <summary>What a token, given in UTF-8, adds to a decoded text.</summary>
    public byte[] Decode(ReadOnlySpan<byte> token)
    {
        if (HasByteTokens && VocabularyBuilder.ByteToken(token) is var value and >= 0)
        {
            return [(byte)value];
        }

        if (_replacements.Count == 0)
        {
            return token.ToArray();
        }

        var text = Encoding.UTF8.GetString(token);
        foreach (var (pattern, content) in _replacements)
        {
            text = text.Replace(pattern, content, StringComparison.Ordinal);
        }

        return Encoding.UTF8.GetBytes(text);
    }

    private void ReadReplace(JsonField field)
    {
        var pattern = field.Required("pattern").Required("String").AsString();
        var content = field.Required("content").AsString();
        if (pattern.Length != 1 || content.Length > 1)
        {
            throw field.Error("only the replacement of one character by one or none is supported");
        }

        _replacements.Add((pattern, content));
    }

    private void ReadMetaspace(JsonField field)
    {
        _replacements.Add((field.Optional("replacement")?.AsString() ?? "▁", " "));
        var never = field.Optional("prepend_scheme") is { } scheme
            ? scheme.AsString() == "never"
            : !field.Flag("add_prefix_space", absent: true);
        LeadingSpaces += never ? 0 : 1;
    }

    private void ReadStrip(JsonField field)
    {
        var start = field.Required("start").AsInt();
        if (field.Required("content").AsString() != " " || field.Required("stop").AsInt() != 0 || start is < 0 or > 16 || !_fused)
        {
            throw field.Error("only the stripping of up to 16 spaces at the start of the whole text (after 'Fuse') is supported");
        }

        LeadingSpaces += start;
    }
}
