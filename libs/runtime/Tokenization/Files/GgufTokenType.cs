namespace Parallax.Runtime.Tokenization.Files;

/// <summary>The values of <c>tokenizer.ggml.token_type</c>.</summary>
internal enum GgufTokenType
{
    /// <summary>Not said.</summary>
    Undefined = 0,

    /// <summary>Ordinary text.</summary>
    Normal = 1,

    /// <summary>Stands for what has no token.</summary>
    Unknown = 2,

    /// <summary>A special token.</summary>
    Control = 3,

    /// <summary>Text that is never cut, found before anything else.</summary>
    UserDefined = 4,

    /// <summary>Never produced.</summary>
    Unused = 5,

    /// <summary>One byte, written like <c>&lt;0x0A&gt;</c>.</summary>
    Byte = 6,
}
